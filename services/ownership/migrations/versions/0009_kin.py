"""Which customer ids are one person's.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    into = "the other id of the same person; null since they were taken apart"
    op.create_table(
        "kin",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("into_id", sa.Text(), nullable=True, comment=into),
        sa.Column("number", sa.Integer(), nullable=False, comment="which word of this id it is"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kin")),
        schema="ownership",
    )
    op.create_index("ix_kin_into_id", "kin", ["into_id"], schema="ownership")


def downgrade() -> None:
    """Drops it."""
    op.drop_table("kin", schema="ownership")
