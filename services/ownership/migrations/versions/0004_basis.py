"""Complaints listed by the basis of their closing.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column, fills it from the state, and makes its index."""
    column = sa.Column("basis", sa.Text(), nullable=True, comment="of a closing")
    op.add_column("complaints", column, schema="ownership")
    op.execute("update ownership.complaints set basis = state ->> 'basis' where state ->> 'basis' is not null")
    op.create_index(
        "ix_complaints_basis_id",
        "complaints",
        ["basis", "id"],
        unique=False,
        schema="ownership",
        postgresql_where=sa.text("basis IS NOT NULL"),
    )


def downgrade() -> None:
    """Drops both."""
    op.drop_index("ix_complaints_basis_id", table_name="complaints", schema="ownership")
    op.drop_column("complaints", "basis", schema="ownership")
