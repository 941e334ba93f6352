"""Alembic's entry for the schema `access`."""

import shared.policy
from shared.auth import metadata
from shared.migrate import run_env
from shared.settings import Base, load

run_env(metadata, lambda: load(Base).database_url)
