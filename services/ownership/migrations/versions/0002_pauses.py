"""Pauses, counted by who owned the complaint.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table, and fills it with the pauses there were; who owned the complaint, earlier events tell."""
    op.create_table(
        "pauses",
        sa.Column("complaint_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False, comment="of the event that told it"),
        sa.Column("owner_id", sa.Text(), nullable=True, comment="who owned it then"),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", "sequence", name=op.f("pk_pauses")),
        schema="ownership",
    )
    op.create_index("ix_pauses_owner_id_paused_at", "pauses", ["owner_id", "paused_at"], schema="ownership")
    op.execute(
        """
        insert into ownership.pauses (complaint_id, sequence, owner_id, paused_at)
        select p.subject_id::uuid, p.sequence,
            (select coalesce(d.data ->> 'to_id', d.data ->> 'owner_id')
             from ownership.events o, lateral (select convert_from(o.data, 'UTF8')::jsonb as data) d
             where o.subject_id = p.subject_id and o.sequence < p.sequence
               and o.type in ('complaintloop.complaint.owner_assigned.v1', 'complaintloop.complaint.owner_succeeded.v1')
             order by o.sequence desc limit 1),
            (convert_from(p.data, 'UTF8')::jsonb ->> 'at')::timestamptz
        from ownership.events p where p.type = 'complaintloop.complaint.paused.v1'
        """
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_table("pauses", schema="ownership")
