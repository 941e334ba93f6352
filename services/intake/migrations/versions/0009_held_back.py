"""Old contacts whose words are needed, because their complaint is not over.

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
    op.create_table(
        "held_back",
        sa.Column("contact_id", sa.Uuid(as_uuid=False), nullable=False, comment="old, and its complaint is not over"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, comment="when ownership was asked last"),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_held_back")),
        schema="intake",
    )
    op.create_index("ix_held_back_asked_at", "held_back", ["asked_at"], schema="intake")


def downgrade() -> None:
    """Drops it."""
    op.drop_table("held_back", schema="intake")
