"""Complaints for which it is undecided who follows their owner can be listed.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Fills it in from what is there."""
    column: sa.Column[bool] = sa.Column(
        "succession_asked", sa.Boolean(), nullable=False, server_default="false", comment="who follows is undecided"
    )
    op.add_column("complaints", column, schema="ownership")
    op.execute(
        "update ownership.complaints set succession_asked = true "
        "where status <> 'closed' and jsonb_typeof(state->'succession') = 'object'"
    )
    op.create_index(
        "ix_complaints_succession_asked_id",
        "complaints",
        ["id"],
        unique=False,
        schema="ownership",
        postgresql_where=sa.text("succession_asked"),
    )


def downgrade() -> None:
    """Takes it away."""
    op.drop_index("ix_complaints_succession_asked_id", "complaints", schema="ownership")
    op.drop_column("complaints", "succession_asked", schema="ownership")
