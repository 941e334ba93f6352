"""Settings of ownership: those that every process has."""

from __future__ import annotations

from shared.settings import Base


class Settings(Base):
    """What ownership reads from the environment."""
