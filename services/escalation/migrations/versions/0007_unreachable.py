"""Addresses of executives that mails do not reach.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "unreachable",
        sa.Column("executive_id", sa.Text(), nullable=False),
        sa.Column(
            "address", sa.Text(), nullable=False, comment="in small letters; another one in the policy is trusted"
        ),
        sa.Column("because", sa.Text(), nullable=False, comment="refused, came_back"),
        sa.Column("detail", sa.Text(), nullable=False, comment="the server's code"),
        sa.Column("since", time, nullable=False),
        sa.Column("refused_at", time, nullable=False, comment="when it did so last"),
        sa.Column("times", sa.Integer(), nullable=False, server_default="1", comment="how often it was tried in vain"),
        sa.Column("escalation_id", sa.Text(), nullable=True, comment="the one by whose mail it was learned last"),
        sa.Column("accepted_at", time, nullable=True, comment="a mail was taken since, and none has come back"),
        sa.Column("trusted_at", time, nullable=True, comment="a supervisor said that it works"),
        sa.Column("trusted_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("executive_id", name=op.f("pk_unreachable")),
        schema="escalation",
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_table("unreachable", schema="escalation")
