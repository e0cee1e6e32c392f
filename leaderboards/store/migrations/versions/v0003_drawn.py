"""What a round is played on, the key that an attempt is bound to, and hosted attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger()
ID = BIG.with_variant(sa.Integer(), "sqlite")
KEYS = ("commitment", "public_key")


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("rounds", sa.Column("terms", sa.Text))
    for name in ("public_key", "salt", "key_digest"):
        op.add_column("attempts", sa.Column(name, sa.Text))
    for name in KEYS:
        op.create_index(f"ix_attempts_round_id_{name}", "attempts", ["round_id", name], unique=True)
    op.create_table(
        "hosted",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, sa.ForeignKey("accounts.id", name="fk_hosted_account_id"), nullable=False),
        sa.Column("track", sa.Text, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("entrant", sa.Text),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("ended_at", BIG),
        sa.Column("outcome", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_hosted"),
    )
    op.create_index("ix_hosted_account_id_track", "hosted", ["account_id", "track"])
    op.create_index("ix_hosted_track_id", "hosted", ["track", "id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("hosted")
    for name in KEYS:
        op.drop_index(f"ix_attempts_round_id_{name}", "attempts")
    for name in ("public_key", "salt", "key_digest"):
        op.drop_column("attempts", name)
    op.drop_column("rounds", "terms")
