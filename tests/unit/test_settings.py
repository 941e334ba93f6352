"""Settings: every mistake at once, never a value; secrets may stand in files; what `make run` has started is found."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path

import pytest

from shared.kafka import Connection, KafkaError, topic_partitions
from shared.settings import Base, SettingsError, load

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
GOOD = {
    "DATABASE_URL": "postgresql://user:pw@db:5432/loop",
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "SECRET_KEY": "a secret of at least thirty-two characters",
}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is set, and nothing was started here."""
    import os

    for name in list(os.environ):
        if name.startswith("COMPLAINT_LOOP_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _set(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"COMPLAINT_LOOP_{name}", value)


def test_all_mistakes_are_told_at_once_and_no_value_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, DATABASE_URL="mysql://hunter2", SECRET_KEY="hunter2", PORT="hunter2", DATABASE_ROLES="hunter2")
    with pytest.raises(SettingsError) as caught:
        load(Base)
    named = {mistake.partition(":")[0] for mistake in caught.value.mistakes}
    wanted = ("DATABASE_URL", "SECRET_KEY", "PORT", "DATABASE_ROLES", "KAFKA_BOOTSTRAP_SERVERS")
    assert named == {f"COMPLAINT_LOOP_{name}" for name in wanted}
    assert "hunter2" not in str(caught.value) and "hunter2" not in repr(caught.value)
    assert (
        "COMPLAINT_LOOP_KAFKA_BOOTSTRAP_SERVERS: is missing (host:port, separated by commas)" in caught.value.mistakes
    )
    assert all("\n" not in mistake for mistake in caught.value.mistakes)


def test_what_is_right_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, **GOOD, PORT="8001", PUBLIC_URL="https://loop.example/", INTAKE_URL="http://intake:8000/")
    settings = load(Base)
    assert (settings.port, settings.base_url) == (8001, "https://loop.example")
    assert (settings.url_of("intake"), settings.url_of("ownership")) == ("http://intake:8000", "https://loop.example")
    assert GOOD["SECRET_KEY"] not in repr(settings)


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(GOOD["SECRET_KEY"] + "\n")
    _set(monkeypatch, **{name: value for name, value in GOOD.items() if name != "SECRET_KEY"})
    _set(monkeypatch, SECRET_KEY_FILE=str(tmp_path / "secret"))
    assert load(Base).secret_key.get_secret_value() == GOOD["SECRET_KEY"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    _set(monkeypatch, **GOOD, SECRET_KEY_FILE=str(tmp_path / "secret"), PORT="none")
    monkeypatch.delenv("COMPLAINT_LOOP_SECRET_KEY")
    with pytest.raises(SettingsError) as caught:
        load(Base)
    file, port = caught.value.mistakes
    assert file.startswith(f"COMPLAINT_LOOP_SECRET_KEY_FILE: {tmp_path / 'secret'} cannot be read: ")
    assert port.startswith("COMPLAINT_LOOP_PORT: ")


def test_what_was_started_here_is_found_and_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / ".local"
    folder.mkdir()
    told = {"database_url": "postgresql://local", "kafka_bootstrap_servers": "local:1", "http_url": "http://local:8000"}
    (folder / "endpoints.json").write_text(json.dumps(told))
    (folder / "secret_key").write_text(GOOD["SECRET_KEY"])
    _set(monkeypatch, KAFKA_BOOTSTRAP_SERVERS="other:9092")
    settings = load(Base)
    assert (settings.database_url, settings.kafka_bootstrap_servers) == ("postgresql://local", "other:9092")
    assert settings.base_url == "http://local:8000"


def test_half_written_endpoints_are_no_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "endpoints.json").write_text('{"database_url": ')
    with pytest.raises(SettingsError):
        load(Base)
    (tmp_path / ".local" / "endpoints.json").write_text("[1]")
    with pytest.raises(SettingsError):
        load(Base)


def test_the_security_of_kafka_is_told_as_its_client_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, **GOOD, KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT", KAFKA_SECURITY_SASL_MECHANISM="SCRAM-SHA-512")
    _set(monkeypatch, KAFKA_SECURITY_SASL_USERNAME="loop", KAFKA_SECURITY_SASL_PASSWORD="pw")
    assert load(Base).kafka_security() == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "loop",
        "sasl_plain_password": "pw",
    }


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_kafka_behind_tls_is_spoken_to_where_its_certificate_is_known(
    monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    heard = asyncio.get_running_loop().create_future()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not heard.done():
            heard.set_result(await reader.read(1))
        writer.close()

    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(FIXTURES / "mail_certificate.pem", FIXTURES / "mail_key.pem")
    async with await asyncio.start_server(broker, "127.0.0.1", 0, ssl=identity) as server:
        port = server.sockets[0].getsockname()[1]
        _set(monkeypatch, **GOOD | {"KAFKA_BOOTSTRAP_SERVERS": f"localhost:{port}"}, KAFKA_SECURITY_PROTOCOL="SSL")
        if trusted:
            _set(monkeypatch, KAFKA_SECURITY_SSL_CA_FILE=str(FIXTURES / "mail_certificate.pem"))
        settings = load(Base)
        with pytest.raises(KafkaError):
            await topic_partitions(Connection(settings.kafka_bootstrap_servers, settings.kafka_security()))
        assert heard.done() is trusted


def test_what_kafka_would_refuse_is_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, **GOOD | {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092, [::1]:9092,other"})
    assert load(Base).kafka_bootstrap_servers == "kafka:9092,[::1]:9092,other"
    _set(monkeypatch, KAFKA_SECURITY_PROTOCOL="SASL_SSL", KAFKA_SECURITY_SSL_CA_FILE="/nowhere.pem")
    _set(monkeypatch, KAFKA_BOOTSTRAP_SERVERS="kafka:99999", KAFKA_SECURITY_SSL_KEY_FILE="pyproject.toml")
    with pytest.raises(SettingsError) as caught:
        load(Base)
    wrong = ("BOOTSTRAP_SERVERS", "SECURITY_SASL_MECHANISM", "SECURITY_SASL_USERNAME", "SECURITY_SASL_PASSWORD")
    files = ("SECURITY_SSL_CA_FILE", "SECURITY_SSL_KEY_FILE", "SECURITY_SSL_CERTIFICATE_FILE")
    told = {mistake.partition(":")[0] for mistake in caught.value.mistakes}
    assert {f"COMPLAINT_LOOP_KAFKA_{name}" for name in (*wrong, *files[:2])} == told


def test_what_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, **GOOD, PORT="", PUBLIC_URL="", KAFKA_SECURITY_SASL_MECHANISM="")
    assert (load(Base).port, load(Base).public_url) == (8000, None)


def test_an_issuer_of_tokens_needs_an_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, **GOOD, OIDC_ISSUER="https://id.example.com")
    with pytest.raises(SettingsError, match="OIDC_AUDIENCE: is missing"):
        load(Base)
    _set(monkeypatch, OIDC_AUDIENCE="complaint-loop")
    assert load(Base).oidc_scope_claim == "scope"
