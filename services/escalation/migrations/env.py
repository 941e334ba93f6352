"""Alembic's entry for this schema."""

from services.escalation.store import metadata
from shared.migrate import run_env
from shared.settings import Base, load

run_env(metadata, lambda: load(Base).database_url)
