"""Answers are found again by sketches of their words, whatever their age; redress has a place of its own.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.escalation.canned import sketch

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_AT_ONCE = 1_000


def upgrade() -> None:
    """Adds them, and sketches the answers that were given before."""
    op.add_column(
        "answers",
        sa.Column("redress", sa.Text(), nullable=True, comment="what the customer gets besides words"),
        schema="escalation",
    )
    op.add_column(
        "answers",
        sa.Column(
            "sketch",
            postgresql.JSONB(),
            nullable=True,
            comment="by which likeness to a later answer is found, whatever its age",
        ),
        schema="escalation",
    )
    _sketch()
    op.create_index(
        "ix_answers_sketch", "answers", ["sketch"], unique=False, schema="escalation", postgresql_using="gin"
    )


def _sketch() -> None:
    answers = sa.table(
        "answers",
        sa.column("number", sa.BigInteger()),
        sa.column("text", sa.Text()),
        sa.column("sketch", postgresql.JSONB()),
        schema="escalation",
    )
    conn, last = op.get_bind(), 0
    unsketched = sa.select(answers.c.number, answers.c.text).where(answers.c.text.is_not(None))
    while rows := conn.execute(
        unsketched.where(answers.c.number > last).order_by(answers.c.number).limit(_AT_ONCE)
    ).all():
        for row in rows:
            conn.execute(answers.update().where(answers.c.number == row.number).values(sketch=sketch(row.text)))
        last = rows[-1].number


def downgrade() -> None:
    """Takes them away."""
    op.drop_index("ix_answers_sketch", table_name="answers", schema="escalation")
    op.drop_column("answers", "sketch", schema="escalation")
    op.drop_column("answers", "redress", schema="escalation")
