"""Until when a contact can matter to a promise; what a new promise is compared with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

EVERYONE = sa.text("scope = 'everyone'")
BROKEN = sa.text("status = 'broken'")


def upgrade() -> None:
    """The watch's end as a column, and indexes for both."""
    op.add_column(
        "promises",
        sa.Column(
            "watched_until",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default="infinity",
            comment="no contact after it matters; far away while an action is undone",
        ),
        schema="escalation",
    )
    op.drop_index("ix_promises_everyone", table_name="promises", schema="escalation")
    op.create_index(
        "ix_promises_everyone",
        "promises",
        ["cause", "watched_until"],
        postgresql_where=EVERYONE,
        schema="escalation",
    )
    op.create_index(
        "ix_promises_broken",
        "promises",
        ["cause", "id"],
        postgresql_where=BROKEN,
        schema="escalation",
    )


def downgrade() -> None:
    """As before."""
    op.drop_index("ix_promises_broken", table_name="promises", schema="escalation")
    op.drop_index("ix_promises_everyone", table_name="promises", schema="escalation")
    op.create_index(
        "ix_promises_everyone",
        "promises",
        ["cause"],
        postgresql_where=EVERYONE,
        schema="escalation",
    )
    op.drop_column("promises", "watched_until", schema="escalation")
