"""Mail that comes in: replies and bounces.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table, and what finds links by their mail and mails by their digest."""
    op.create_table(
        "arrivals",
        sa.Column(
            "id",
            sa.Text(),
            nullable=False,
            comment="a hash of the mail answered to and the Message-ID: a repeat is one",
        ),
        sa.Column("mail_id", sa.Text(), nullable=False, comment="the mail of ours that it answers, or that came back"),
        sa.Column("state", sa.Text(), nullable=False, comment="new, taken, refused, robot, bounced, ignored, failed"),
        sa.Column("detail", sa.Text(), nullable=True, comment="why: a code, never words"),
        sa.Column("raw", sa.LargeBinary(), nullable=True, comment="the mail itself, until it is settled"),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True, comment="null once it is settled"),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
        schema="escalation",
    )
    op.create_index("ix_arrivals_next_at", "arrivals", ["next_at"], unique=False, schema="escalation")
    op.create_index("ix_arrivals_mail_id", "arrivals", ["mail_id"], unique=False, schema="escalation")
    op.create_index("ix_links_mail_id", "links", ["mail_id"], unique=False, schema="escalation")
    op.create_index("ix_mails_digest_id", "mails", ["digest_id"], unique=False, schema="escalation")


def downgrade() -> None:
    """Drops them."""
    op.drop_index("ix_mails_digest_id", table_name="mails", schema="escalation")
    op.drop_index("ix_links_mail_id", table_name="links", schema="escalation")
    op.drop_table("arrivals", schema="escalation")
