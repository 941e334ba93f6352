"""Settings of escalation: those that every process has, and how its mails go out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from shared.fields import is_email
from shared.settings import Base

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
#: the tag of a mail has 43 characters and a plus; 64 may stand before the @
_MOST_LOCAL = 20


class Settings(Base):
    """What escalation reads from the environment."""

    smtp_starttls: Literal["auto", "required", "never"] = Field(
        default="auto", description="auto: what the server offers, but no password in plain text; required; never"
    )
    smtp_ca_file: Path | None = Field(default=None, description="certificates that sign the mail server's own")
    dkim_key: SecretStr | None = Field(default=None, description="an RSA private key in PEM; mails are signed with it")
    dkim_selector: str | None = Field(
        default=None, validate_default=True, description="the name under which the public key stands in DNS"
    )
    dkim_domain: str | None = Field(default=None, description="else the domain of MAIL_FROM")
    inbound_address: str | None = Field(
        default=None, description="where replies and bounces come to, like answers@example.com; a tag is put before @"
    )
    inbound_authserv_id: str | None = Field(
        default=None,
        validate_default=True,
        description="the mail server whose Authentication-Results are believed, by its authserv-id",
    )
    inbound_listen: str | None = Field(
        default=None,
        validate_default=True,
        description="lmtp://host:port or smtp://host:port, where that mail server hands mail over",
    )

    @field_validator("inbound_address")
    @classmethod
    def _inbound(cls, value: str | None) -> str | None:
        if not value:
            return None
        local = value.rpartition("@")[0]
        if not is_email(value) or "+" in local or len(local) > _MOST_LOCAL:
            raise ValueError(f"is one plain address, without +, of at most {_MOST_LOCAL} characters before the @")
        return value

    @field_validator("inbound_authserv_id", "inbound_listen")
    @classmethod
    def _with_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not value:
            if info.data.get("inbound_address"):
                raise ValueError("is missing: INBOUND_ADDRESS is set, and nobody would take what is sent to it")
            return None
        if info.field_name == "inbound_authserv_id":
            return value
        try:
            parts = urlsplit(value)
            known = parts.scheme in ("lmtp", "smtp") and parts.hostname and parts.port
        except ValueError:
            known = None
        if not known:
            raise ValueError("is no address to listen at: lmtp://127.0.0.1:2424")
        if "inbound_address" in info.data and not info.data["inbound_address"]:
            raise ValueError("is set without INBOUND_ADDRESS")
        return value

    @field_validator("smtp_ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is no file that can be read")
        return value

    @field_validator("dkim_key")
    @classmethod
    def _signing_key(cls, value: SecretStr | None) -> SecretStr | None:
        from services.escalation.mail.signing import is_key

        if value is None or not value.get_secret_value():
            return None
        if not is_key(value.get_secret_value()):
            raise ValueError("is no RSA private key in PEM")
        return value

    @field_validator("dkim_selector", "dkim_domain")
    @classmethod
    def _in_dns(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not value:
            if info.field_name == "dkim_selector" and info.data.get("dkim_key"):
                raise ValueError("is missing: a key is set, and nobody could find its public half")
            return None
        if not _NAME.fullmatch(value):
            raise ValueError("is no name in DNS")
        return value
