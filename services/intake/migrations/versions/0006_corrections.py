"""What agents said that contacts are: examples to hear by. Their words stay with the contacts.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "corrections",
        sa.Column("contact_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("complaint", sa.Boolean(), nullable=True),
        sa.Column("departure_threat", sa.Boolean(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_corrections")),
        schema="intake",
    )
    op.create_index("ix_corrections_at", "corrections", ["at"], schema="intake")


def downgrade() -> None:
    """Drops it."""
    op.drop_table("corrections", schema="intake")
