"""What alembic runs: on the connection, and in the transaction, that `schema.py` hands it."""

from alembic import context

from ludarium.leaderboards.store.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
