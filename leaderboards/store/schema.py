"""The schema's revisions: making an empty database, bringing an older one up, and going back (alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from ludarium.envs.core.errors import StoreError
from ludarium.leaderboards.store.database import Database

__all__ = ["downgrade", "latest", "make_or_check", "revision", "upgrade", "upgrade_on"]


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def latest() -> str:
    """The revision that this version of ludarium works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def revision(connection: Connection) -> str | None:
    """The revision of a database, None for one that is empty; `StoreError` for one that is something else."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None and set(inspect(connection).get_table_names()) - {"alembic_version"}:
        raise StoreError("the database has tables, but is no board; expected an empty one, or a board's")
    return found


def make_or_check(database: Database) -> None:
    """Fill an empty database; `StoreError` for one of another revision."""
    with database.connect() as connection:  # only one of several that open an empty database makes it
        found = revision(connection)
        if found is None:
            command.upgrade(_config(connection), "head")
        elif found not in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}:
            raise StoreError(f"{database.where}: made by a newer ludarium (revision {found!r:.40}); install that")
        elif found != latest():
            raise StoreError(
                f"{database.where}: of revision {found!r}, this ludarium works with {latest()!r}: back it up, then upgrade it"
            )


def upgrade(database: Database, to: str = "head") -> None:
    """Bring a database up to a revision, in one transaction."""
    with database.connect() as connection:
        revision(connection)
        upgrade_on(connection, to)


def upgrade_on(connection: Connection, to: str) -> None:
    """The same on a connection, in its transaction."""
    try:
        command.upgrade(_config(connection), to)
    except CommandError as error:
        raise StoreError(f"revision {to!r:.40}: {error}") from error


def downgrade(database: Database, to: str) -> None:
    """Take a database back to a revision, `base` for none; what the older one has no place for is lost."""
    with database.connect() as connection:
        command.downgrade(_config(connection), to)
