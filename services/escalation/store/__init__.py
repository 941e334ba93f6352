"""All tables of the schema `escalation` and every SQL statement of the service."""

from services.escalation.store.tables import metadata

__all__ = ["metadata"]
