"""How often a customer's id said into which it is merged: the others are told.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the count; who was merged before is told of by the loop."""
    comment = "how often it was said where it is merged into"
    merged: sa.Column[int] = sa.Column("merged", sa.Integer(), nullable=False, server_default="0", comment=comment)
    op.add_column("customers", merged, schema="intake")


def downgrade() -> None:
    """Takes it away."""
    op.drop_column("customers", "merged", schema="intake")
