"""Whether a board's tables are what its log says: each link's digest is made again from the rows it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ludarium.envs.core.errors import ChainError
from ludarium.leaderboards.store import payloads
from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.log import START, walk
from ludarium.leaderboards.store.models import (
    AccountRow,
    AttemptRow,
    Base,
    DisagreementRow,
    EpisodeRow,
    HostedRow,
    LogRow,
    RoundRow,
    SubmissionRow,
    VerdictRow,
)
from ludarium.leaderboards.store.records import Link
from ludarium.leaderboards.store.values import digest_of

__all__ = ["check", "check_in"]

R = TypeVar("R", bound=Base)


def check(database: Database, anchor: tuple[int, str] | None = None) -> tuple[int, str]:
    """Walk the whole log and compare it with the tables; return its head.

    `anchor` is a head that was published earlier: the log must still lead to it. `ChainError` names the first link that
    is broken, or the last one if a table has rows that no link is about.
    """
    with database.read() as session:
        return check_in(session, anchor)


def check_in(session: Session, anchor: tuple[int, str] | None = None) -> tuple[int, str]:
    """The same in a session that sees one moment of the database."""
    number, last = 0, START
    for link in walk(session):
        number, last = link.number, link.hash
        if anchor is not None and number == anchor[0] and last != anchor[1]:
            raise ChainError(number, f"its hash is {last}; published was {anchor[1]!r:.80}")
        _compare(session, link)
        session.expunge_all()  # verdicts have many rows, and logs many verdicts
    if anchor is not None and anchor[0] > number:
        raise ChainError(number + 1, f"is not there; link {anchor[0]} was published")
    _complete(session, number)
    return number, last


def _compare(session: Session, link: Link) -> None:
    make = _KINDS.get(link.kind)
    if make is None:
        raise ChainError(link.number, f"of kind {link.kind!r:.80}, which no board writes")
    if digest_of(make(session, link)) != link.digest:
        raise ChainError(link.number, f"{link.kind} of {link.subject}: the tables hold something else by now")


def _submission(session: Session, link: Link) -> SubmissionRow:
    row = session.scalar(select(SubmissionRow).where(SubmissionRow.digest == link.subject))
    if row is None:
        raise ChainError(link.number, f"{link.kind} of {link.subject}: there is no such submission any more")
    return row


def _submitted(session: Session, link: Link) -> Any:
    row = _submission(session, link)
    if row.erased_at is None and row.manifest_digest != payloads.manifest_digest(row.salt or "", row.manifest):
        raise ChainError(link.number, f"submitted {link.subject}: its manifest was changed")
    return payloads.submitted(row)


def _verdict(session: Session, link: Link) -> Any:
    submission = _submission(session, link)
    row = session.get(VerdictRow, submission.id)
    if row is None:
        raise ChainError(link.number, f"{link.kind} of {link.subject}: the verdict is gone")
    query = select(EpisodeRow).where(EpisodeRow.submission_id == submission.id).order_by(EpisodeRow.number)
    episodes = list(session.scalars(query))
    if link.kind == "verdict" and row.recorded_at != link.at:
        raise ChainError(link.number, f"verdict of {link.subject}: its time was changed")
    for number, episode in enumerate(episodes):
        if (episode.number, episode.digest) != (number, payloads.episode_digest(episode.row)):
            raise ChainError(link.number, f"verdict of {link.subject}: episode {number} was changed")
    return payloads.verdict(row.verdict, [episode.row for episode in episodes])


def _confirmed(session: Session, link: Link) -> Any:
    return payloads.confirmed(digest_of(_verdict(session, link)))


def _disagreement(session: Session, link: Link) -> Any:
    row = session.get(DisagreementRow, link.number)
    if row is None or row.submission_id != _submission(session, link).id:
        raise ChainError(link.number, f"disagreement about {link.subject}: the other verdict is gone")
    return row.verdict


def _retracted(session: Session, link: Link) -> Any:
    row = _submission(session, link)
    if row.retracted_at != link.at:
        raise ChainError(link.number, f"{link.subject} was retracted at another time, or is shown again")
    return payloads.retracted(row.reason)


def _erased(session: Session, link: Link) -> Any:
    if link.subject.startswith("account/"):
        account = session.get(AccountRow, _number(link))
        if account is None or account.erased_at != link.at or account.name or account.look or account.contact:
            raise ChainError(link.number, f"{link.subject} was erased, and is back")
    else:
        row = _submission(session, link)
        if row.erased_at != link.at or row.manifest != payloads.impersonal(row.manifest) or row.salt:
            raise ChainError(link.number, f"{link.subject} was erased, and is back")
    return payloads.erased()


def _number(link: Link) -> int:
    digits = link.subject.rpartition("/")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else -1


def _row(session: Session, link: Link, table: type[R]) -> R:
    row = session.get(table, _number(link))
    if row is None:
        raise ChainError(link.number, f"{link.subject} is gone")
    return row


def _opened(session: Session, link: Link) -> Any:
    return payloads.opened(_row(session, link, RoundRow))


def _closed(session: Session, link: Link) -> Any:
    row = _row(session, link, RoundRow)
    if row.closed_at is None:
        raise ChainError(link.number, f"{link.subject} was closed, and is open again")
    return payloads.closed(row)


def _committed(session: Session, link: Link) -> Any:
    row = _row(session, link, AttemptRow)
    if row.public_key is not None and row.key_digest != payloads.key_digest(row.salt or "", row.public_key):
        raise ChainError(link.number, f"{link.subject}: its key was changed")
    return payloads.committed(row)


def _hosted_opened(session: Session, link: Link) -> Any:
    return payloads.hosted_opened(_row(session, link, HostedRow))


def _hosted_ended(session: Session, link: Link) -> Any:
    row = _row(session, link, HostedRow)
    if row.ended_at is None:
        raise ChainError(link.number, f"{link.subject} had ended, and is open again")
    return payloads.hosted_ended(row)


_KINDS: dict[str, Callable[[Session, Link], Any]] = {
    "submitted": _submitted,
    "verdict": _verdict,
    "confirmed": _confirmed,
    "disagreement": _disagreement,
    "retracted": _retracted,
    "erased": _erased,
    "round-opened": _opened,
    "round-closed": _closed,
    "committed": _committed,
    "hosted-opened": _hosted_opened,
    "hosted-ended": _hosted_ended,
}


def _tables() -> Iterable[tuple[str, type[Base], Any]]:
    """Kinds with one link for each row of a table that fulfils a condition."""
    return (
        ("submitted", SubmissionRow, None),
        ("verdict", VerdictRow, None),
        ("disagreement", DisagreementRow, None),
        ("retracted", SubmissionRow, SubmissionRow.retracted_at.is_not(None)),
        ("round-opened", RoundRow, None),
        ("round-closed", RoundRow, RoundRow.closed_at.is_not(None)),
        ("committed", AttemptRow, None),
        ("hosted-opened", HostedRow, None),
        ("hosted-ended", HostedRow, HostedRow.ended_at.is_not(None)),
    )


def _complete(session: Session, last: int) -> None:
    """No event stands twice, and no row is there of which the log knows nothing."""
    once = [kind for kind in _KINDS if kind not in ("confirmed", "disagreement")]
    query = select(func.max(LogRow.number)).where(LogRow.kind.in_(once))
    twice = session.scalars(query.group_by(LogRow.kind, LogRow.subject).having(func.count() > 1))
    for number in sorted(found for found in twice if found is not None):
        raise ChainError(number, "says again what may happen only once")
    for kind, table, condition in _tables():
        counted = select(func.count()).select_from(table)
        rows = session.scalar(counted if condition is None else counted.where(condition))
        links = session.scalar(select(func.count()).select_from(LogRow).where(LogRow.kind == kind))
        if rows != links:
            raise ChainError(
                last, f"up to here {links} links of kind {kind!r}, but {table.__tablename__} has {rows} such rows"
            )
    erased = session.scalar(select(func.count()).select_from(AccountRow).where(AccountRow.erased_at.is_not(None))) or 0
    erased += (
        session.scalar(select(func.count()).select_from(SubmissionRow).where(SubmissionRow.erased_at.is_not(None))) or 0
    )
    links = session.scalar(select(func.count()).select_from(LogRow).where(LogRow.kind == "erased"))
    if erased != links:
        raise ChainError(last, f"up to here {links} erasures, but {erased} rows say that they were erased")
    loose = (
        select(func.count())
        .select_from(EpisodeRow)
        .where(EpisodeRow.submission_id.not_in(select(VerdictRow.submission_id)))
    )
    if session.scalar(loose):
        raise ChainError(last, "there are episodes without a verdict")
