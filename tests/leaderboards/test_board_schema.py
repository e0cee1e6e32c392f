"""Opening boards: making, bringing up and taking back the schema, and refusing what is no board."""

import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from board_kit import history, submit

from ludarium.errors import StoreError
from ludarium.leaderboards.store import Store, schema
from ludarium.leaderboards.store.database import Database, parse
from ludarium.leaderboards.store.models import Base


@pytest.fixture
def database(board_url):
    """An empty database of each kind."""
    found = Database(board_url)
    yield found
    found.close()


def tables(database):
    with database.connect() as connection:
        return set(sa.inspect(connection).get_table_names()) - {"alembic_version"}


def test_migrations_make_what_the_models_say(database):
    schema.upgrade(database)
    assert tables(database) == set(Base.metadata.tables)
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        assert schema.revision(connection) == schema.latest()


def test_up_and_down_and_up_again(database, board_url, tmp_path):
    with Store(board_url, tmp_path / "blobs") as store:
        history(store)
    schema.downgrade(database, "base")
    assert tables(database) == set()
    with Store(board_url, tmp_path / "blobs") as store:
        history(store)
        store.check_chain()


def test_a_migration_that_fails_leaves_nothing(database, monkeypatch):
    upgrade = command.upgrade

    def failing(*arguments):
        upgrade(*arguments)
        raise sa.exc.OperationalError("CREATE TABLE", {}, Exception("power is gone"))

    monkeypatch.setattr(command, "upgrade", failing)
    with pytest.raises(StoreError, match="power is gone"):
        schema.make_or_check(database)
    assert tables(database) == set()
    monkeypatch.undo()
    schema.make_or_check(database)


def test_an_older_board_waits_for_an_upgrade_and_a_newer_one_is_refused(board_url, tmp_path, monkeypatch):
    with Store(board_url, tmp_path / "blobs") as store, monkeypatch.context() as patch:
        patch.setattr(schema, "latest", lambda: "9999")
        with pytest.raises(StoreError, match="upgrade"):
            Store(board_url, tmp_path / "blobs")
        patch.undo()
        with store.database.connect() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer ludarium"):
        Store(board_url, tmp_path / "blobs")


def test_a_database_of_something_else_is_left_alone(database, board_url, tmp_path):
    with database.connect() as connection:
        connection.execute(sa.text("CREATE TABLE recipes (id integer)"))
    with pytest.raises(StoreError, match="no board"):
        Store(board_url, tmp_path / "blobs")
    assert tables(database) == {"recipes"}


def test_several_may_open_an_empty_database_at_once(board_url, tmp_path):
    stores, errors = [], []

    def opened():
        try:
            stores.append(Store(board_url, tmp_path / "blobs"))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for store in stores:
        submit(store)
        store.close()
    assert len(stores) == 4


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", ":memory:", "://", "sqlite:///a?x=1", "http://x"]
)
def test_addresses_that_are_no_boards_are_refused(url):
    with pytest.raises(StoreError, match=r"expected postgresql://\.\.\. or sqlite:///FILE|plain file"):
        parse(url)


@pytest.mark.parametrize("url", ["postgresql://u:hidden@localhost:1/x", "postgres://u:hidden@localhost:1/x"])
def test_a_server_that_is_not_there_is_named_without_its_password(url, tmp_path):
    with pytest.raises(StoreError, match="localhost") as found:
        Store(url, tmp_path / "blobs")
    assert "hidden" not in str(found.value)
    with pytest.raises(StoreError, match="name a folder"):
        Store(url)


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "board.db").write_text("not a database, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match=r"board\.db.*not a database"):
        Store(tmp_path / "board.db")
    with pytest.raises(StoreError, match="absent"):
        Store(tmp_path / "absent" / "board.db", tmp_path)


def test_errors_tell_nobodys_data(board):
    """A row that a database refuses is not quoted: it may hold names."""
    row = sa.text("INSERT INTO accounts (name, look, created_at) VALUES ('Zoe', 'zoe', 1), ('Zoe', 'zoe', 1)")
    with pytest.raises(StoreError) as found, board.database.write() as session:
        session.execute(row)
    assert "zoe" not in str(found.value).lower()


def test_without_the_extra_it_is_named_and_the_suite_does_not_load_it():
    code = (
        "import sys, ludarium\n"
        "assert 'sqlalchemy' not in sys.modules\n"
        "sys.modules['sqlalchemy'] = None\n"
        "try:\n    import ludarium.leaderboards.store\n"
        "except ludarium.errors.MissingExtraError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ludarium[board]" in done.stdout
