"""A mail server or sender that can't work stops the start; what is told holds no password."""

from __future__ import annotations

import pytest

from shared.settings import Base, SettingsError, load

GIVEN = {
    "DATABASE_URL": "postgresql://somewhere/db",
    "KAFKA_BOOTSTRAP_SERVERS": "somewhere:9092",
    "SECRET_KEY": "s" * 40,
}


def started(monkeypatch: pytest.MonkeyPatch, **given: str) -> Base:
    for name, value in (GIVEN | given).items():
        monkeypatch.setenv(f"COMPLAINT_LOOP_{name}", value)
    return load(Base)


@pytest.mark.parametrize("url", ["smtp://mail", "smtp://me:p%40w@mail:587", "smtps://mail:465", "smtp://[::1]:25"])
def test_mail_servers(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert started(monkeypatch, SMTP_URL=url).smtp_url == url


def test_no_mail_server(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started(monkeypatch, SMTP_URL="").smtp_url is None


@pytest.mark.parametrize(
    "url", ["mail:25", "http://mail", "smtp://", "smtp://mail:0", "smtp://me:hush/@mail", "smtp://[x"]
)
def test_what_is_no_mail_server(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(SettingsError) as told:
        started(monkeypatch, SMTP_URL=url, MAIL_FROM="Loop <loop@example.com>")
    smtp, sender = sorted(told.value.mistakes, reverse=True)
    assert smtp.startswith("COMPLAINT_LOOP_SMTP_URL: is not the URL of a mail server")
    assert sender.startswith("COMPLAINT_LOOP_MAIL_FROM: is one plain address")
    assert "hush" not in smtp
