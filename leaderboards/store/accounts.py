"""Accounts, and the tokens by which programs act for them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ludarium.envs.core.errors import AccessError, RefusedError, ScopeError, did_you_mean
from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.models import AccountRow, TokenRow
from ludarium.leaderboards.store.records import Access, Account
from ludarium.leaderboards.store.values import digest, duration, look_alike, text

__all__ = ["SCOPES", "Accounts"]

SCOPES = ("submit", "verify", "admin")
"""What a token may allow: to submit, to take jobs and record verdicts, to run the board."""
PREFIX = "ludarium_"
"""How tokens begin, so that programs that look for leaked secrets know them."""
MAX_NAME, MAX_CONTACT, MAX_TOKEN = 200, 500, 200


class Accounts:
    """Who may do what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, contact: str | None = None) -> Account:
        """A new account; `RefusedError` if a name is taken, or looks like one that is."""
        name = text("name", name, MAX_NAME)
        contact = None if contact is None else text("contact", contact, MAX_CONTACT)
        look = look_alike(name)
        if not look:
            raise RefusedError(f"name = {name!a:.80} has no letters that can be seen")
        with self._database.write() as session:
            if self._database.sqlite is False:  # two with one name must not both find that it is free
                session.connection().exec_driver_sql("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE")
            if session.scalar(select(AccountRow.id).where(AccountRow.look == look)) is not None:
                raise RefusedError(f"the name {name!r:.80} is taken, or is too like one that is; choose another")
            row = AccountRow(name=name, look=look, contact=contact, created_at=self._database.now(session))
            session.add(row)
            session.flush()
            return _account(row)

    def get(self, account_id: int) -> Account:
        """An account by its number; `RefusedError` if there is none."""
        with self._database.read() as session:
            return _account(row_of(session, account_id))

    def find(self, name: str) -> Account | None:
        """The account with this name, or one that looks the same."""
        with self._database.read() as session:
            row = session.scalar(select(AccountRow).where(AccountRow.look == look_alike(text("name", name, MAX_NAME))))
            return None if row is None else _account(row)

    def all(self, after: int = 0, limit: int = 1000) -> list[Account]:
        """Accounts in order, those after number `after`."""
        query = select(AccountRow).where(AccountRow.id > after).order_by(AccountRow.id).limit(limit)
        with self._database.read() as session:
            return [_account(row) for row in session.scalars(query)]

    def issue(self, account_id: int, scopes: Iterable[str], seconds: float | None = None) -> tuple[int, str]:
        """A new token: its number, and the token itself, which is not kept and cannot be shown again."""
        wanted = sorted(set(scopes))
        for scope in wanted:
            if scope not in SCOPES:
                raise RefusedError(f"scope {scope!r:.40}{did_you_mean(str(scope)[:40], SCOPES)}")
        if not wanted:
            raise RefusedError(f"a token without scopes allows nothing; expected some of {', '.join(SCOPES)}")
        token = PREFIX + secrets.token_urlsafe(32)
        lasts = None if seconds is None else duration("seconds", seconds)
        with self._database.write() as session:
            if row_of(session, account_id, lock=True).erased_at is not None:
                raise RefusedError(f"account {account_id} was erased")
            now = self._database.now(session)
            row = TokenRow(
                account_id=account_id, digest=digest(token.encode()), scopes=wanted, created_at=now,
                expires_at=None if lasts is None else now + lasts,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.id, token

    def allow(self, token: str, scope: str) -> Access:
        """What a token allows; `AccessError` unless it is good, `ScopeError` unless it is for `scope`, as `admin` is for all."""
        if scope not in SCOPES:
            raise RefusedError(f"scope {scope!r:.40}{did_you_mean(scope[:40], SCOPES)}")
        hashed = digest(token.encode("utf-8", "surrogatepass")) if len(token) <= MAX_TOKEN else ""
        with self._database.read() as session:
            row = session.scalar(select(TokenRow).where(TokenRow.digest == hashed))
            now = self._database.now(session)
        if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
            raise AccessError("the token is unknown, revoked or expired; ask the board's operator for a new one")
        if scope not in row.scopes and "admin" not in row.scopes:
            raise ScopeError(f"the token is good for {', '.join(row.scopes)}, not for {scope!r}")
        return Access(row.account_id, row.id, tuple(row.scopes))

    def revoke(self, token_id: int) -> None:
        """Make a token useless from now on."""
        with self._database.write() as session:
            row = session.get(TokenRow, token_id)
            if row is None:
                raise RefusedError(f"there is no token {token_id!r:.40}")
            if row.revoked_at is None:
                row.revoked_at = self._database.now(session)

    def tokens(self, account_id: int) -> list[dict[str, object]]:
        """The tokens of an account: number, scopes and times."""
        columns = (TokenRow.id, TokenRow.scopes, TokenRow.created_at, TokenRow.expires_at, TokenRow.revoked_at)
        with self._database.read() as session:
            rows = session.execute(select(*columns).where(TokenRow.account_id == account_id).order_by(TokenRow.id))
            return [dict(row._mapping) for row in rows]


def row_of(session: Session, account_id: int, lock: bool = False) -> AccountRow:
    """The row of an account; locked, an erasure waits until what is about to refer to it is done."""
    query = select(AccountRow).where(AccountRow.id == account_id)
    row = session.scalar(query.with_for_update(read=True) if lock else query)
    if row is None:
        raise RefusedError(f"there is no account {account_id!r:.40}")
    return row


def forget(session: Session, row: AccountRow, now: int) -> None:
    """Erase what is personal of an account, and revoke its tokens."""
    row.name = row.look = row.contact = None
    row.erased_at = now
    open_tokens = (TokenRow.account_id == row.id, TokenRow.revoked_at.is_(None))
    session.execute(update(TokenRow).where(*open_tokens).values(revoked_at=now))


def _account(row: AccountRow) -> Account:
    return Account(row.id, row.name, row.contact, row.created_at, row.erased_at)
