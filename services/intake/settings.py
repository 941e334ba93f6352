"""Settings of intake: those that every process has."""

from __future__ import annotations

from shared.settings import Base


class Settings(Base):
    """What intake reads from the environment."""
