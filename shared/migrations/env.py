"""Alembic's entry for the schema `access`."""

from shared.auth import metadata
from shared.migrate import run_env
from shared.policy import policies_table
from shared.settings import Base, load

assert policies_table.metadata is metadata  # made where it is used, and part of this schema
run_env(metadata, lambda: load(Base).database_url)
