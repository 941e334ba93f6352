"""Indexes for the history of a person's promises, and for pages of the feed that want little of much.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FILTERS = ("type", "owner_id", "region")


def upgrade() -> None:
    """Creates them."""
    op.create_index("ix_promises_made_by_id", "promises", ["made_by", "id"], schema="escalation")
    for name in FILTERS:
        op.create_index(
            f"ix_feed_{name}_position",
            "feed",
            [name, "position"],
            postgresql_where=sa.text("position IS NOT NULL"),
            schema="escalation",
        )


def downgrade() -> None:
    """As before."""
    for name in FILTERS:
        op.drop_index(f"ix_feed_{name}_position", table_name="feed", schema="escalation")
    op.drop_index("ix_promises_made_by_id", table_name="promises", schema="escalation")
