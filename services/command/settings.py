"""Settings of commands that need only a part of what the services need."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, SecretStr

from shared.settings import Base, SettingsError, load


class DatabaseSettings(Base):
    """For commands that speak to PostgreSQL alone."""

    kafka_bootstrap_servers: str = ""
    secret_key: SecretStr = SecretStr("")


class KafkaSettings(Base):
    """For commands that speak to Kafka alone."""

    database_url: str = "postgresql://unused"
    secret_key: SecretStr = SecretStr("")
    topic_replication: int | None = Field(
        default=None, ge=1, description="replicas of each topic, instead of topics.yaml"
    )


class PolicySettings(Base):
    """For commands that read the policy file alone."""

    database_url: str = "postgresql://unused"
    kafka_bootstrap_servers: str = ""
    secret_key: SecretStr = SecretStr("")


class LinkSettings(Base):
    """For commands that sign links."""

    database_url: str = "postgresql://unused"
    kafka_bootstrap_servers: str = ""


class HookSettings(Base):
    """For commands that keep secrets of endpoints."""

    kafka_bootstrap_servers: str = ""


class AllSettings(KafkaSettings):
    """Everything, as the services need it and as the topics need it."""

    database_url: str = Field(description="postgresql://user:password@host:port/database")
    kafka_bootstrap_servers: str = Field(description="host:port, separated by commas")
    secret_key: SecretStr = Field(min_length=32, description="at least 32 characters; signs tokens and sessions")


def load_each(kinds: Sequence[type[Base]]) -> list[Base]:
    """Settings of several services; raises SettingsError with the mistakes of all, each once."""
    loaded: list[Base] = []
    mistakes: dict[str, None] = {}
    for kind in kinds:
        try:
            loaded.append(load(kind))
        except SettingsError as error:
            mistakes |= dict.fromkeys(error.mistakes)
    if mistakes:
        raise SettingsError(list(mistakes))
    return loaded


def settings_of(service: str) -> type[Base]:
    """The settings class of a service: the one of its settings.py that is of its own."""
    from importlib import import_module

    module = import_module(f"services.{service}.settings")
    own = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    (found,) = [kind for kind in own if issubclass(kind, Base)]
    return found
