"""What a board keeps: accounts, submissions, verdicts, a log that cannot be changed unseen, and a queue of work.

`Store(url)` is all of it. It takes plain data (bytes, manifests and verdicts as dictionaries) and knows nothing of worlds.
"""

from ludarium.envs.core.errors import MissingExtraError

try:
    import alembic as _alembic
    import sqlalchemy as _sqlalchemy
except ImportError as error:
    raise MissingExtraError(error.name or "sqlalchemy", "board") from error

from ludarium.leaderboards.store.records import Account, Attempt, Entry, Hosted, Lease, Link, Round
from ludarium.leaderboards.store.store import Store

__all__ = ["Account", "Attempt", "Entry", "Hosted", "Lease", "Link", "Round", "Store"]

del _alembic, _sqlalchemy
