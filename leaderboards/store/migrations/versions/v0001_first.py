"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger()
ID = BIG.with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables, and the triggers that keep the log append-only."""
    _people()
    _submissions()
    _log()
    _guard_log()


def _people() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("look", sa.Text),
        sa.Column("contact", sa.Text),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("erased_at", BIG),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("look", name="uq_accounts_look"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, sa.ForeignKey("accounts.id", name="fk_tokens_account_id"), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG),
        sa.Column("revoked_at", BIG),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_index("ix_tokens_account_id", "tokens", ["account_id"])
    op.create_table(
        "rounds",
        sa.Column("id", ID, nullable=False),
        sa.Column("track", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("closes_at", BIG),
        sa.Column("closed_at", BIG),
        sa.PrimaryKeyConstraint("id", name="pk_rounds"),
        sa.UniqueConstraint("track", "name", name="uq_rounds_track_name"),
    )


def _submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("account_id", ID, sa.ForeignKey("accounts.id", name="fk_submissions_account_id"), nullable=False),
        sa.Column("track", sa.Text, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("round_id", ID, sa.ForeignKey("rounds.id", name="fk_submissions_round_id")),
        sa.Column("manifest", sa.Text, nullable=False),
        sa.Column("salt", sa.Text),
        sa.Column("manifest_digest", sa.String(64), nullable=False),
        sa.Column("received_at", BIG, nullable=False),
        sa.Column("retracted_at", BIG),
        sa.Column("reason", sa.Text),
        sa.Column("erased_at", BIG),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.UniqueConstraint("digest", name="uq_submissions_digest"),
        sa.UniqueConstraint("round_id", "account_id", name="uq_submissions_round_id_account_id"),
    )
    op.create_index("ix_submissions_account_id", "submissions", ["account_id"])
    op.create_index("ix_submissions_track_version_id", "submissions", ["track", "version", "id"])
    op.create_table(
        "attempts",
        sa.Column("id", ID, nullable=False),
        sa.Column("round_id", ID, sa.ForeignKey("rounds.id", name="fk_attempts_round_id"), nullable=False),
        sa.Column("account_id", ID, sa.ForeignKey("accounts.id", name="fk_attempts_account_id"), nullable=False),
        sa.Column("commitment", sa.Text, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.UniqueConstraint("round_id", "account_id", name="uq_attempts_round_id_account_id"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("submission_id", ID, sa.ForeignKey("submissions.id", name="fk_jobs_submission_id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("queued_at", BIG, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("lease", sa.Text),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("submission_id", name="uq_jobs_submission_id"),
    )
    op.create_index("ix_jobs_state_due_at", "jobs", ["state", "due_at"])


def _log() -> None:
    op.create_table(
        "verdicts",
        sa.Column(
            "submission_id", ID, sa.ForeignKey("submissions.id", name="fk_verdicts_submission_id"), nullable=False
        ),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("measured", sa.Text, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_verdicts"),
    )
    op.create_table(
        "episodes",
        sa.Column(
            "submission_id", ID, sa.ForeignKey("submissions.id", name="fk_episodes_submission_id"), nullable=False
        ),
        sa.Column("number", BIG, nullable=False),
        sa.Column("digest", sa.Text),
        sa.Column("row", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "number", name="pk_episodes"),
    )
    op.create_index("ix_episodes_digest", "episodes", ["digest"])
    op.create_table(
        "log",
        sa.Column("number", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_log"),
    )
    op.create_index("ix_log_subject", "log", ["subject"])
    op.create_table(
        "disagreements",
        sa.Column("link", BIG, sa.ForeignKey("log.number", name="fk_disagreements_link"), nullable=False),
        sa.Column(
            "submission_id", ID, sa.ForeignKey("submissions.id", name="fk_disagreements_submission_id"), nullable=False
        ),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("link", name="pk_disagreements"),
    )
    op.create_index("ix_disagreements_submission_id", "disagreements", ["submission_id"])
    head = op.create_table(
        "head",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "hash": "0" * 64}])


def _guard_log() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER log_keeps_{verb.lower()} BEFORE {verb} ON log "
                "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION log_keeps() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER log_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON log "
        "FOR EACH STATEMENT EXECUTE FUNCTION log_keeps()"
    )


def downgrade() -> None:
    """Drop everything."""
    for table in ("disagreements", "head", "log", "episodes", "verdicts", "jobs", "attempts", "submissions", "rounds",
                  "tokens", "accounts"):  # fmt: skip
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION log_keeps()")
