"""What the environment says to the supervisor, which reads it by itself: settings are typed and checked by a child, so
that this process stays small."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "COMPLAINT_LOOP_"
_POLICY = Path(__file__).resolve().parents[1] / "policy.example.yaml"


@dataclass(frozen=True)
class Given:
    """The settings of one run. None means: a local part stands in."""

    folder: Path
    host: str
    port: str
    database_url: str | None
    kafka: str | None
    smtp_url: str | None
    public_url: str | None
    environment: Mapping[str, str]

    @property
    def port_number(self) -> int | None:
        """None where it is no port: the check of all settings says so, with whatever else is wrong."""
        return int(self.port) if self.port.isascii() and self.port.isdigit() and 0 < int(self.port) < 65536 else None

    @property
    def http_url(self) -> str:
        """Where this machine reaches the services."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host and '[' not in host else host}:{self.port}"

    def for_children(
        self, database_url: str, kafka: str, smtp_url: str, replies: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The environment of the services; `replies` are the settings by which replies to mails are taken, where the
        environment has none."""
        # where the port is none, that alone is the mistake, and not each address that is made of it
        own_url = self.http_url if self.port_number else ""
        ours = {
            "DATABASE_URL": database_url,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "SMTP_URL": smtp_url,
            "HOST": self.host,
            "PORT": self.port,
            "LOCAL_DIR": str(self.folder),
            "PUBLIC_URL": self.public_url or own_url,
            # between themselves the services need no way through whatever stands in front of the public URL
            "INTAKE_URL": self._or_own("INTAKE_URL", own_url),
            "OWNERSHIP_URL": self._or_own("OWNERSHIP_URL", own_url),
            "POLICY_FILE": self._or_own("POLICY_FILE", str(_POLICY)),
            "SECRET_KEY_FILE": self._or_own("SECRET_KEY_FILE", str(self.folder / "secret_key")),
            "TOPIC_REPLICATION": self._or_own("TOPIC_REPLICATION", "" if self.kafka else "1"),
        }
        if not any(name.startswith(f"{_PREFIX}INBOUND_") for name in self.environment):
            ours |= replies or {}
        env = dict(self.environment) | {_PREFIX + name: value for name, value in ours.items() if value}
        # two arenas instead of eight a core: Python's threads are few and short
        return env | {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": env.get("MALLOC_ARENA_MAX", "2")}

    def _or_own(self, name: str, own: str) -> str:
        return self.environment.get(_PREFIX + name) or own


def read_given(environment: Mapping[str, str] = os.environ) -> Given:
    """Reads the environment; a plain PORT, as in `make run PORT=8001`, moves the port."""

    def setting(name: str) -> str | None:
        value, path = environment.get(_PREFIX + name), environment.get(f"{_PREFIX}{name}_FILE")
        if value or not path:
            return value or None
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None  # the child that looks at all settings says so, with whatever else is wrong

    return Given(
        folder=Path(setting("LOCAL_DIR") or ".local").absolute(),
        host=setting("HOST") or "127.0.0.1",
        port=environment.get("PORT") or setting("PORT") or "8000",
        database_url=setting("DATABASE_URL"),
        kafka=setting("KAFKA_BOOTSTRAP_SERVERS"),
        smtp_url=setting("SMTP_URL"),
        public_url=setting("PUBLIC_URL"),
        environment=environment,
    )
