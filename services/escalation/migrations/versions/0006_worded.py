"""Whether the words about an escalation or a promise are still kept, and since when a complaint is closed.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEXES = {
    "escalations": ("due_at", "worded AND status = 'ended'"),
    "promises": ("watched_until", "worded"),
}
#: what ownership told before is in the feed
CLOSED = """
    update escalation.complaints c
    set facts = c.facts
        || jsonb_strip_nulls(jsonb_build_object('closed_at', told.closed_at, 'merged_into', told.into_id))
    from (
        select complaint_id, max(at) filter (where type = 'complaint.closed') as closed_at,
            max(data ->> 'into_id') filter (where type = 'complaint.merged') as into_id
        from escalation.feed where type in ('complaint.closed', 'complaint.merged') group by complaint_id
    ) told
    where told.complaint_id = c.id and c.facts ->> 'status' = 'closed'
"""
MAILS = "next_at IS NULL AND (detail IS NOT NULL OR person LIKE 'address:_%')"


def upgrade() -> None:
    """Adds the columns, the indexes by which old words are found, and the times of closings."""
    for table, (by, where) in INDEXES.items():
        comment = "false: its words are let go of"
        worded: sa.Column[bool] = sa.Column(
            "worded", sa.Boolean(), nullable=False, server_default="true", comment=comment
        )
        op.add_column(table, worded, schema="escalation")
        op.create_index(f"ix_{table}_worded_{by}", table, [by], schema="escalation", postgresql_where=sa.text(where))
    op.create_index(
        "ix_mails_worded_queued_at", "mails", ["queued_at"], schema="escalation", postgresql_where=sa.text(MAILS)
    )
    op.execute(CLOSED)


def downgrade() -> None:
    """Takes them away; the times of closings do no harm."""
    op.drop_index("ix_mails_worded_queued_at", table_name="mails", schema="escalation")
    for table, (by, _) in INDEXES.items():
        op.drop_index(f"ix_{table}_worded_{by}", table_name=table, schema="escalation")
        op.drop_column(table, "worded", schema="escalation")
