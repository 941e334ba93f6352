"""Who stands in for an owner is a column; who owned a complaint first, and since when, is part of its state.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: the fold of `complaint.owner_assigned`, for what was stored before
_FIRST_OWNERS = """
    update ownership.complaints c
    set state = c.state || jsonb_build_object('first_owner', jsonb_build_array(
        told.data->>'owner_id',
        case when told.data->>'because' = 'first_responder'
            and (told.data->>'at')::timestamptz = (c.state->>'opened_at')::timestamptz
            then c.state->>'first_contact_at' else told.data->>'at' end))
    from (
        select subject_id, convert_from(data, 'UTF8')::jsonb as data from ownership.events
        where type = 'complaintloop.complaint.owner_assigned.v1'
    ) told
    where told.subject_id = c.id::text
"""


def upgrade() -> None:
    """Fills both in from what is there."""
    op.add_column("complaints", sa.Column("deputy_id", sa.Text(), nullable=True), schema="ownership")
    op.execute("update ownership.complaints set deputy_id = state->'deputy'->>'agent_id' where deputised")
    op.execute(_FIRST_OWNERS)
    op.drop_column("complaints", "deputised", schema="ownership")
    op.create_index(
        "ix_complaints_deputy_id_id",
        "complaints",
        ["deputy_id", "id"],
        unique=False,
        schema="ownership",
        postgresql_where=sa.text("deputy_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Back to a mark alone; who owned it first stays in the state, where nobody reads it."""
    op.drop_index("ix_complaints_deputy_id_id", "complaints", schema="ownership")
    op.add_column(
        "complaints", sa.Column("deputised", sa.Boolean(), nullable=False, server_default="false"), schema="ownership"
    )
    op.execute("update ownership.complaints set deputised = deputy_id is not null")
    op.drop_column("complaints", "deputy_id", schema="ownership")
