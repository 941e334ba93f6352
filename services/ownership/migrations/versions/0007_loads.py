"""What each owner holds is counted from an index alone.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NAME = "ix_complaints_live_owner_id_id"


def _again(include: list[str] | None) -> None:
    op.drop_index(_NAME, table_name="complaints", schema="ownership")
    op.create_index(
        _NAME,
        "complaints",
        ["owner_id", "id"],
        unique=False,
        schema="ownership",
        postgresql_where=sa.text("status != 'closed'"),
        postgresql_include=include,
    )


def upgrade() -> None:
    """The index carries what is counted."""
    _again(["status", "owed_at", "deputy_id", "departure_threat"])


def downgrade() -> None:
    """And carries it no more."""
    _again(None)
