"""Settings of escalation: those that every process has, and how its mails go out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from shared.settings import Base

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)


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
