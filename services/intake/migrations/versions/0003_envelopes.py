"""Events that brought contacts, by their own identity; contacts of a source are listed from an index of their own.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table and the index."""
    op.create_table(
        "envelopes",
        sa.Column("id", sa.LargeBinary(), nullable=False, comment="SHA-256 of the event's source and id"),
        sa.Column("contact_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_envelopes")),
        schema="intake",
    )
    op.create_index("ix_contacts_listed", "contacts", [sa.text("(source || '')"), "id"], schema="intake")


def downgrade() -> None:
    """Drops them."""
    op.drop_index("ix_contacts_listed", table_name="contacts", schema="intake")
    op.drop_table("envelopes", schema="intake")
