"""The log's chain: whatever is changed, dropped, swapped or inserted, in the log or in the tables, is found."""

import contextlib

import pytest
import sqlalchemy as sa
from board_kit import VERDICT, history, judged
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ludarium.errors import ChainError, StoreError
from ludarium.leaderboards.store import Store
from ludarium.leaderboards.store.audit import check_in
from ludarium.leaderboards.store.log import link_hash

SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TEXTS = ("kind", "subject", "digest", "previous", "hash")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def full(request, tmp_path_factory):
    """A board to which everything happened; tests change it in transactions that they roll back."""
    folder = tmp_path_factory.mktemp("board")
    url = str(folder / "board.db") if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    with Store(url, folder / "blobs") as store:
        history(store)
        yield store


@contextlib.contextmanager
def tampered(store):
    """A session in which the log can be changed, and which is rolled back."""
    with store.database.write() as session:
        if store.database.sqlite:
            for verb in ("update", "delete"):
                session.execute(sa.text(f"DROP TRIGGER log_keeps_{verb}"))
        else:
            session.execute(sa.text("DROP TRIGGER log_keeps ON log"))
        yield session
        session.rollback()


def links(session):
    rows = session.execute(sa.text("SELECT number, at, kind, subject, digest, previous, hash FROM log ORDER BY number"))
    return [dict(row._mapping) for row in rows]


def rewrite(session, new, head=None):
    """Put these links in place of all, and perhaps another head."""
    session.execute(sa.text("DELETE FROM disagreements"))  # they refer to links
    kept = list(new)
    session.execute(sa.text("DELETE FROM log"))
    columns = ", ".join(kept[0])
    values = ", ".join(f":{name}" for name in kept[0])
    session.execute(sa.text(f"INSERT INTO log ({columns}) VALUES ({values})"), kept)
    if head is not None:
        session.execute(sa.text("UPDATE head SET number = :number, hash = :hash"), head)


def forged(new):
    """The same links with numbers and hashes that fit together: what somebody writes who knows how."""
    previous, result = "0" * 64, []
    for number, link in enumerate(new, 1):
        hashed = link_hash(number, link["at"], link["kind"], link["subject"], link["digest"], previous)
        result.append({**link, "number": number, "previous": previous, "hash": hashed})
        previous = hashed
    return result


def broken(session, anchor=None):
    with pytest.raises(ChainError) as found:
        check_in(session, anchor)
    return found.value.number


def test_nothing_is_wrong_before(full):
    assert full.check_chain() == full.log.head()
    assert full.check_chain(full.log.head()) == full.log.head()


def test_the_database_itself_refuses_changes_of_the_log(full):
    for statement in ("UPDATE log SET at = 0", "DELETE FROM log", "DELETE FROM log WHERE number = 3"):
        with pytest.raises(StoreError, match="append-only"), full.database.write() as session:
            session.execute(sa.text(statement))
    if not full.database.sqlite:
        with pytest.raises(StoreError, match="append-only"), full.database.write() as session:
            session.execute(sa.text("TRUNCATE log CASCADE"))
    full.check_chain()


@SETTINGS
@given(data=st.data())
def test_a_changed_link_is_named(full, data):
    with tampered(full) as session:
        all_links = links(session)
        link = data.draw(st.sampled_from(all_links))
        column = data.draw(st.sampled_from(("at", *TEXTS)))
        if column == "at":
            new = data.draw(st.integers(-(2**63), 2**63 - 1))
        else:
            others = [other[column] for other in all_links]
            new = data.draw(st.one_of(st.sampled_from(others), st.text("0123456789abcdef/é'", max_size=64)))
        if new != link[column]:
            session.execute(
                sa.text(f"UPDATE log SET {column} = :new WHERE number = :n"), {"new": new, "n": link["number"]}
            )
            assert broken(session) == link["number"]


@SETTINGS
@given(data=st.data())
def test_a_dropped_link_is_named(full, data):
    with tampered(full) as session:
        session.execute(sa.text("DELETE FROM disagreements"))
        number = data.draw(st.sampled_from(links(session)))["number"]
        disagreed = min(link["number"] for link in links(session) if link["kind"] == "disagreement")
        session.execute(sa.text("DELETE FROM log WHERE number = :n"), {"n": number})
        assert broken(session) == min(number, disagreed)  # the row that was deleted to make this possible is missed too


@SETTINGS
@given(data=st.data())
def test_swapped_links_are_named(full, data):
    with tampered(full) as session:
        old = links(session)
        first, second = sorted(data.draw(st.lists(st.integers(0, len(old) - 1), min_size=2, max_size=2, unique=True)))
        new = [dict(link) for link in old]
        new[first], new[second] = {**old[second], "number": first + 1}, {**old[first], "number": second + 1}
        rewrite(session, new)
        disagreed = next(link["number"] for link in old if link["kind"] == "disagreement")
        assert broken(session) == min(first + 1, disagreed)


@SETTINGS
@given(data=st.data())
def test_an_inserted_link_is_named(full, data):
    with tampered(full) as session:
        old = links(session)
        place = data.draw(st.integers(0, len(old)))
        twin = data.draw(st.sampled_from([link for link in old if link["kind"] != "disagreement"]))
        previous = old[place - 1]["hash"] if place else "0" * 64
        hashed = link_hash(place + 1, twin["at"], twin["kind"], twin["subject"], twin["digest"], previous)
        late = [{**link, "number": link["number"] + 1} for link in old[place:]]
        rewrite(session, [*old[:place], {**twin, "number": place + 1, "previous": previous, "hash": hashed}, *late])
        disagreed = next(link["number"] for link in old if link["kind"] == "disagreement")
        assert broken(session) in ((place + 1, place + 2) if place < disagreed else (disagreed,))


def test_links_cut_off_at_the_end_are_missed(full):
    with tampered(full) as session:
        old = links(session)
        session.execute(sa.text("DELETE FROM log WHERE number = :n"), {"n": len(old)})
        assert broken(session) == len(old)


def test_a_link_added_at_the_end_is_named(full):
    with tampered(full) as session:
        old = links(session)
        confirmed = next(link for link in old if link["kind"] == "confirmed")
        new = forged([*old, confirmed])
        session.execute(
            sa.text("INSERT INTO log VALUES (:number, :at, :kind, :subject, :digest, :previous, :hash)"), [new[-1]]
        )
        assert broken(session) == len(old) + 1


def test_a_whole_new_chain_is_found_by_a_published_head(full):
    """Who leaves out a second look, and computes everything anew, contradicts only what was published."""
    anchor = full.log.head()
    with tampered(full) as session:
        old = links(session)
        confirmed = next(link["number"] for link in old if link["kind"] == "confirmed")
        others = (
            session.execute(sa.text("SELECT link, submission_id, verdict, worker FROM disagreements")).mappings().all()
        )
        new = forged([link for link in old if link["kind"] != "confirmed"])
        rewrite(session, new, {"number": new[-1]["number"], "hash": new[-1]["hash"]})
        moved = [{**row, "link": row["link"] - (row["link"] > confirmed)} for row in others]
        session.execute(sa.text("INSERT INTO disagreements VALUES (:link, :submission_id, :verdict, :worker)"), moved)
        assert check_in(session)[0] == len(old) - 1
        assert broken(session, anchor) == len(old)
        assert broken(session, (confirmed, old[confirmed - 1]["hash"])) == confirmed


KEPT = {
    "submissions": ("digest", "size", "account_id", "track", "version", "kind", "tier", "round_id", "manifest",
                    "manifest_digest", "received_at", "retracted_at", "reason", "erased_at"),
    "verdicts": ("submission_id", "verdict", "recorded_at"),
    "episodes": ("submission_id", "number", "digest", "row"),
    "disagreements": ("submission_id", "verdict"),
    "rounds": ("track", "name", "secret", "terms", "opened_at", "closes_at", "closed_at"),
    "attempts": ("round_id", "account_id", "commitment", "public_key", "salt", "key_digest", "created_at"),
    "hosted": ("account_id", "track", "terms", "secret", "opened_at", "ended_at", "outcome"),
}  # fmt: skip
JSON = ("manifest", "verdict", "row", "terms", "outcome")


@SETTINGS
@given(data=st.data())
@example(data=None)
def test_a_table_that_says_something_else_is_found(full, data):
    if data is None:
        return
    table = data.draw(st.sampled_from(sorted(KEPT)))
    column = data.draw(st.sampled_from(KEPT[table]))
    keys = {"episodes": ("submission_id", "number"), "verdicts": ("submission_id",), "disagreements": ("link",)}
    key = keys.get(table, ("id",))
    with tampered(full) as session:
        if full.database.sqlite:
            session.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        rows = session.execute(sa.text(f'SELECT * FROM "{table}" ORDER BY {", ".join(key)}')).mappings().all()
        row = data.draw(st.sampled_from(rows))
        old = row[column]
        if column in JSON:
            new = old.replace("{", '{"a":0,', 1) if old != "{}" else '{"a":0}'
        elif column == "submission_id" or column.endswith("_id"):
            others = [found for found in (1, 2, 3, 4) if found != old]
            new = data.draw(st.sampled_from(others))
        elif isinstance(old, str) or (old is None and column in ("reason", "digest")):
            new = data.draw(st.sampled_from(["0" * 64, (old or "") + "0", "'"]))
        else:
            new = data.draw(st.integers(0, 2**63 - 1).filter(lambda value: value != old))
        where = " AND ".join(f"{name} = :k{i}" for i, name in enumerate(key))
        values = {"new": new, **{f"k{i}": row[name] for i, name in enumerate(key)}}
        try:
            with session.begin_nested():
                session.execute(sa.text(f'UPDATE "{table}" SET "{column}" = :new WHERE {where}'), values)
        except (sa.exc.IntegrityError, sa.exc.DataError):  # the database itself refuses it
            return
        if not (
            table == "submissions" and column == "reason" and row["retracted_at"] is None
        ):  # shown only when retracted
            broken(session)


@pytest.mark.parametrize(
    "table", ["attempts", "disagreements", "episodes", "hosted", "verdicts", "rounds", "submissions"]
)
def test_a_row_that_is_gone_is_found(full, table):
    with tampered(full) as session:
        for child in {"rounds": ("attempts",), "submissions": ("jobs", "disagreements", "episodes", "verdicts")}.get(
            table, ()
        ):
            session.execute(sa.text(f"DELETE FROM {child}"))
        if table == "rounds":
            session.execute(sa.text("UPDATE submissions SET round_id = NULL"))
        session.execute(sa.text(f"DELETE FROM {table}"))
        broken(session)


@pytest.mark.parametrize("table", ["verdicts", "episodes", "hosted", "rounds", "attempts", "submissions"])
def test_a_row_that_was_slipped_in_is_found(full, table):
    with tampered(full) as session:
        row = dict(session.execute(sa.text(f"SELECT * FROM {table}")).mappings().first())
        unjudged = session.scalar(
            sa.text("SELECT id FROM submissions WHERE id NOT IN (SELECT submission_id FROM verdicts)")
        )
        new = {
            "verdicts": {"submission_id": unjudged},
            "episodes": {"number": 99},
            "rounds": {"id": 99, "name": "slipped in"},
            "hosted": {"id": 99},
            "attempts": {"id": 99, "account_id": 3, "commitment": "ff", "public_key": "ff"},
            "submissions": {"id": 99, "digest": "f" * 64},
        }[table]
        row |= new
        names = ", ".join(f'"{name}"' for name in row)
        session.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + n for n in row)})"), row)
        broken(session)


def test_an_erased_name_that_comes_back_is_found(full):
    for statement in (
        "UPDATE accounts SET name = 'Eve' WHERE erased_at IS NOT NULL",
        "UPDATE accounts SET erased_at = 5 WHERE erased_at IS NULL",
        """UPDATE submissions SET manifest = '{"authors":["Eve"]}' WHERE erased_at IS NOT NULL""",
    ):
        with tampered(full) as session:
            session.execute(sa.text(statement))
            broken(session)


def test_what_an_erasure_leaves_in_the_log_tells_no_name(board):
    """With the salt gone, the same person's other manifest of the same content has another digest."""
    import hashlib

    from ludarium.leaderboards.store.values import canonical

    entry = judged(board)
    manifest = entry.manifest
    board.submissions.erase(entry.digest)
    with board.database.read() as session:
        kept = session.scalar(sa.text("SELECT manifest_digest FROM submissions"))
        assert session.scalar(sa.text("SELECT salt FROM submissions")) is None
    assert kept != hashlib.sha256(canonical(manifest).encode()).hexdigest()
    board.check_chain()


def test_readers_check_while_others_write(board):
    """A check sees one moment: what is added meanwhile does not look like a break."""
    import threading

    stop, errors = threading.Event(), []

    def check():
        while not stop.is_set():
            try:
                board.check_chain()
            except Exception as error:
                errors.append(error)

    thread = threading.Thread(target=check)
    thread.start()
    for _ in range(6):
        judged(board, verdict=VERDICT)
    stop.set()
    thread.join()
    assert errors == []
