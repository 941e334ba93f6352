"""Typed environment, prefix COMPLAINT_LOOP_; every mistake is told at once, and a secret may stand in a file."""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.fields import is_email

PREFIX = "COMPLAINT_LOOP_"
T = TypeVar("T", bound="Base")
_BROKER = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)


class SettingsError(Exception):
    """The environment is wrong or incomplete; `mistakes` has one line each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def _in_file(field_name: str) -> tuple[str | None, str | None]:
    """What stands in the file that a `…_FILE` names, or why it cannot be read."""
    path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
    if not path:
        return None, None
    try:
        return Path(path).read_text(encoding="utf-8").strip(), None
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        return None, f"{path} cannot be read: it is not UTF-8 text"


def _is_broker(text: str) -> bool:
    found = _BROKER.fullmatch(text)
    return found is not None and (found[1] is None or 0 < int(found[1]) < 65536)


class _Files(PydanticBaseSettingsSource):
    """`COMPLAINT_LOOP_X_FILE` names a file that holds X."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return _in_file(field_name)[0], field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(None, name)[0] for name in self.settings_cls.model_fields}
        return {name: value for name, value in found.items() if value is not None}


class _LocalParts(PydanticBaseSettingsSource):
    """What `make run` has started, where a setting does not say otherwise."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        folder = Path(os.environ.get(f"{PREFIX}LOCAL_DIR", ".local"))
        try:
            parts = json.loads((folder / "endpoints.json").read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(parts, dict):
            return {}
        found = {name: parts.get(name) for name in ("database_url", "kafka_bootstrap_servers", "smtp_url")}
        found["public_url"] = parts.get("http_url")
        secret = folder / "secret_key"
        if secret.is_file():
            found["secret_key"] = secret.read_text().strip()
        return {name: value for name, value in found.items() if value and name in self.settings_cls.model_fields}


class Base(BaseSettings):
    """Settings that every process has."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    database_url: str = Field(description="postgresql://user:password@host:port/database")
    database_roles: bool = Field(default=True, description="false where the database user may not create roles")
    kafka_bootstrap_servers: str = Field(description="host:port, separated by commas")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_security_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, validate_default=True, description="with SASL_PLAINTEXT and SASL_SSL"
    )
    kafka_security_sasl_username: str | None = Field(default=None, validate_default=True)
    kafka_security_sasl_password: SecretStr | None = Field(default=None, validate_default=True)
    kafka_security_ssl_ca_file: Path | None = Field(default=None, description="PEM; else the system's authorities")
    kafka_security_ssl_key_file: Path | None = Field(default=None, description="PEM, of the client, not encrypted")
    kafka_security_ssl_certificate_file: Path | None = Field(
        default=None, validate_default=True, description="PEM, of the client"
    )
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    header_seconds: float = Field(
        default=10, gt=0, le=3600, description="how long the head of a request may take; then 408 and the end"
    )
    connections: int = Field(
        default=10_000,
        ge=10,
        le=1_000_000,
        description="open at a time; then those idle for longest end",
    )
    public_url: str | None = Field(default=None, description="how people and tools reach this installation")
    policy_file: Path = Path(__file__).resolve().parents[1] / "deploy" / "policy.example.yaml"
    secret_key: SecretStr = Field(min_length=32, description="at least 32 characters; signs tokens and sessions")
    local_dir: Path = Path(".local")
    oidc_issuer: str | None = Field(default=None, description="whose bearer tokens are taken beside our keys")
    oidc_audience: str | None = Field(default=None, validate_default=True, description="whom its tokens are meant for")
    oidc_scope_claim: str = Field(default="scope", description="the claim of a token that has our scopes")
    intake_url: str | None = Field(default=None, description="where the services reach intake; else the public URL")
    ownership_url: str | None = Field(default=None, description="where the services reach ownership")
    smtp_url: str | None = Field(default=None, description="smtp://[user:password@]host:port or smtps://…")
    mail_from: str = "complaint-loop@localhost"
    hook_tolerance_seconds: int | None = Field(
        default=None, ge=0, le=3_200_000_000, description="how old or new a signed time of a webhook may be"
    )

    opinion_url: str | None = Field(default=None, description="https://…/v1 of an OpenAI-compatible endpoint")
    opinion_model: str | None = Field(default=None, validate_default=True, description="the model's name there")
    opinion_key: SecretStr | None = None
    opinion_seconds: float = Field(default=10, gt=0, le=120, description="how long one answer may take")
    opinion_calls_per_day: int = Field(default=1_000, ge=0, le=10_000_000)
    opinion_characters_per_day: int = Field(default=5_000_000, ge=0, le=100_000_000_000)

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str) -> str:
        if not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("begins with postgresql://")
        return value.replace("postgres://", "postgresql://", 1)

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _brokers(cls, value: str) -> str:
        brokers = [part.strip() for part in value.split(",")]
        # empty: a command that needs no Kafka
        if value and not all(_is_broker(broker) for broker in brokers):
            raise ValueError("is no list of brokers")
        return ",".join(brokers)

    @field_validator("kafka_security_sasl_mechanism", "kafka_security_sasl_username", "kafka_security_sasl_password")
    @classmethod
    def _sasl(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and str(info.data.get("kafka_security_protocol", "")).startswith("SASL_"):
            raise ValueError("is missing: KAFKA_SECURITY_PROTOCOL asks for it")
        return value

    @field_validator("kafka_security_ssl_ca_file", "kafka_security_ssl_certificate_file", "kafka_security_ssl_key_file")
    @classmethod
    def _pem(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is None:
            if info.field_name == "kafka_security_ssl_certificate_file" and info.data.get(
                "kafka_security_ssl_key_file"
            ):
                raise ValueError("is missing: KAFKA_SECURITY_SSL_KEY_FILE is set")
            return None
        if not value.is_file():
            raise ValueError("is no file that can be read")
        return value

    @field_validator("oidc_audience")
    @classmethod
    def _audience(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not value and info.data.get("oidc_issuer"):
            raise ValueError("is missing: OIDC_ISSUER is set, and its tokens for others are not for us")
        return value

    @field_validator("public_url", "intake_url", "ownership_url", "oidc_issuer")
    @classmethod
    def _web(cls, value: str | None) -> str | None:
        if not value:
            return None
        try:
            parts = urlsplit(value)
            known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            known = False
        if not known or parts.query or parts.fragment:
            raise ValueError("is no address like https://loop.example.com")
        return value

    @field_validator("policy_file")
    @classmethod
    def _policy(cls, value: Path) -> Path:
        if not value.is_file():
            raise ValueError("is no file that can be read")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str | None) -> str | None:
        if not value:
            return None
        try:
            parts = urlsplit(value)
            known = parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0
        except ValueError:  # its message holds a part of the URL, which may be the password
            known = False
        if not known:
            raise ValueError("is not the URL of a mail server")
        return value

    @field_validator("opinion_url")
    @classmethod
    def _opinion_url(cls, value: str | None) -> str | None:
        if not value:
            return None
        try:
            parts = urlsplit(value)
            plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
            plain = plain and not (parts.query or parts.fragment or parts.username or parts.password)
        except ValueError:
            plain = False
        if not plain:
            raise ValueError("is not the URL of an endpoint, without a password in it")
        return value.rstrip("/")

    @field_validator("opinion_model")
    @classmethod
    def _opinion_model(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("opinion_url") and not value:
            raise ValueError("is missing, and OPINION_URL is given")
        return value or None

    @field_validator("mail_from")
    @classmethod
    def _mail_from(cls, value: str) -> str:
        if not is_email(value):
            raise ValueError("is one plain address, like loop@example.com")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _Files(settings_cls), _LocalParts(settings_cls)

    @property
    def base_url(self) -> str:
        """The public URL without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def url_of(self, service: str) -> str:
        """Where another service answers HTTP."""
        own: str | None = getattr(self, f"{service}_url", None)
        return (own or self.base_url).rstrip("/")

    def kafka_security(self) -> dict[str, Any]:
        """aiokafka's options for what KAFKA_SECURITY_* says."""
        options: dict[str, Any] = {"security_protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol.endswith("SSL"):
            # the broker has to be whom its certificate names: aiokafka makes no context by itself
            context = ssl.create_default_context(cafile=self.kafka_security_ssl_ca_file)
            if self.kafka_security_ssl_certificate_file:
                context.load_cert_chain(self.kafka_security_ssl_certificate_file, self.kafka_security_ssl_key_file)
            options["ssl_context"] = context
        if self.kafka_security_sasl_mechanism:
            options["sasl_mechanism"] = self.kafka_security_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_security_sasl_username
            password = self.kafka_security_sasl_password
            options["sasl_plain_password"] = password.get_secret_value() if password else None
        return options


def _what(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind == "missing":
        return "is missing"
    if kind == "too_short":  # a secret's length, which pydantic tells in items
        return f"has fewer than {context['min_length']} characters"
    return message.removeprefix("Value error, ")


def load(kind: type[T]) -> T:
    """Reads settings; raises SettingsError with every mistake, never with a value."""
    files = {name: why for name in kind.model_fields if (why := _in_file(name)[1])}
    mistakes = [f"{PREFIX}{name.upper()}_FILE: {why}" for name, why in files.items()]
    try:
        settings = kind()
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            field = str(one["loc"][0])
            if field in files:
                continue
            hint = kind.model_fields[field].description
            what = _what(one["type"], one["msg"], one.get("ctx") or {})
            mistakes.append(f"{PREFIX}{field.upper()}: {what}" + (f" ({hint})" if hint else ""))
        raise SettingsError(mistakes) from None
    if mistakes:
        raise SettingsError(mistakes)
    return settings
