"""Settings of escalation: those that every process has, mail among them."""

from __future__ import annotations

from shared.settings import Base


class Settings(Base):
    """What escalation reads from the environment."""
