"""Lists of what is late, and of what an owner or a cause has that is not closed, are read from indexes of their own.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LIVE = sa.text("status != 'closed'")
_LATE = sa.text("late")


def upgrade() -> None:
    """Notes beside each complaint whether it is late, and makes the indexes."""
    comment = "a breach of what is still owed was told"
    late: sa.Column[bool] = sa.Column("late", sa.Boolean(), server_default="false", nullable=False, comment=comment)
    op.add_column("complaints", late, schema="ownership")
    op.execute(
        """
        update ownership.complaints set late = true
        where owed_at is not null and exists (
            select from jsonb_array_elements(state -> 'clocks') clock
            where clock ->> 'breached_at' is not null and clock ->> 'met_at' is null
              and clock ->> 'stopped_at' is null and clock ->> 'kind' <> 'confirmation'
        )
        """
    )
    op.drop_index("ix_complaints_owed_at", table_name="complaints", schema="ownership")
    for name, columns, where in (
        ("ix_complaints_owed_at", ["owed_at"], sa.text("owed_at IS NOT NULL AND NOT late")),
        ("ix_complaints_late_id", ["id"], _LATE),
        ("ix_complaints_late_owner_id_id", ["owner_id", "id"], _LATE),
        ("ix_complaints_late_cause_id", ["cause", "id"], _LATE),
        ("ix_complaints_live_owner_id_id", ["owner_id", "id"], _LIVE),
        ("ix_complaints_live_cause_id", ["cause", "id"], _LIVE),
    ):
        op.create_index(name, "complaints", columns, schema="ownership", postgresql_where=where)


def downgrade() -> None:
    """Takes them away."""
    for name in ("owed_at", "late_id", "late_owner_id_id", "late_cause_id", "live_owner_id_id", "live_cause_id"):
        op.drop_index(f"ix_complaints_{name}", table_name="complaints", schema="ownership")
    op.drop_column("complaints", "late", schema="ownership")
    where = sa.text("owed_at IS NOT NULL")
    op.create_index("ix_complaints_owed_at", "complaints", ["owed_at"], schema="ownership", postgresql_where=where)
