"""How far old words have been let go of.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    over = "words up to this id were as old as they may get"
    op.create_table(
        "forgotten",
        sa.Column("name", sa.Text(), nullable=False, comment="contacts or responses"),
        sa.Column("up_to", sa.Uuid(as_uuid=False), nullable=False, comment=over),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_forgotten")),
        schema="intake",
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_table("forgotten", schema="intake")
