"""The folder of an installation: one at a time, secrets for their owner alone, ports told apart."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.folder import check_port, ensure_secret, held, read_endpoints, write_secretly
from deploy.local.given import read_given
from deploy.local.trouble import Trouble

HOLD = "import sys; from pathlib import Path; from deploy.local.folder import held\n"
HOLD += "with held(Path(sys.argv[1]), 'make run', 'http://here'): print('held', flush=True); sys.stdin.read()"


def test_one_at_a_time_and_free_again_after_a_kill(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None and other.stdin is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(Trouble) as told, held(tmp_path, "make run", "http://there"):
        pass
    assert f"`make run` (process {other.pid}, http://here)" in str(told.value)
    other.kill()
    other.wait()
    with held(tmp_path, "make run", "http://there"):
        note = json.loads((tmp_path / "run.lock").read_text())
    assert note == {"what": "make run", "where": "http://there", "pid": os.getpid()}
    other.stdin.close()
    other.stdout.close()


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(Trouble, match="is used by another program"):
            check_port("127.0.0.1", server.getsockname()[1])
        port = server.getsockname()[1]
    check_port("127.0.0.1", port)
    with pytest.raises(Trouble, match="not an address"):
        check_port("no.such.host.invalid", port)


def test_secrets_are_for_their_owner_alone_and_stay_the_same(tmp_path: Path) -> None:
    ensure_secret(tmp_path)
    secret = (tmp_path / "secret_key").read_text()
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    ensure_secret(tmp_path)
    assert (tmp_path / "secret_key").read_text() == secret and len(secret) > 32
    (tmp_path / "secret_key").write_text("")  # a disk that was full
    ensure_secret(tmp_path)
    assert len((tmp_path / "secret_key").read_text()) > 32


def test_endpoints_that_are_not_there_or_not_whole(tmp_path: Path) -> None:
    assert read_endpoints(tmp_path) == {}
    write_secretly(tmp_path / "endpoints.json", "[1]")
    assert read_endpoints(tmp_path) == {}


def test_a_plain_port_moves_the_port_and_settings_replace_parts(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://elsewhere/db\n")
    given = read_given(
        {
            "PORT": "8001",
            "COMPLAINT_LOOP_PORT": "8002",
            "COMPLAINT_LOOP_HOST": "0.0.0.0",
            "COMPLAINT_LOOP_DATABASE_URL_FILE": str(tmp_path / "url"),
        }
    )
    assert (given.http_url, given.port_number) == ("http://127.0.0.1:8001", 8001)
    assert (given.database_url, given.kafka, given.smtp_url) == ("postgresql://elsewhere/db", None, None)
    env = given.for_children("postgresql://elsewhere/db", "k:1", "smtp://m")
    assert env["COMPLAINT_LOOP_PORT"] == "8001" and env["COMPLAINT_LOOP_TOPIC_REPLICATION"] == "1"


def test_what_is_wrong_is_left_to_the_check_of_all_settings(tmp_path: Path) -> None:
    missing = {"COMPLAINT_LOOP_DATABASE_URL_FILE": str(tmp_path / "nowhere")}
    given = read_given({"COMPLAINT_LOOP_PORT": "abc", **missing})
    assert (given.port_number, given.database_url) == (None, None)
    env = given.for_children("postgresql://local@127.0.0.1/local", "127.0.0.1:9092", "smtp://127.0.0.1:25")
    assert not [name for name in env if name.endswith(("PUBLIC_URL", "INTAKE_URL", "OWNERSHIP_URL"))]
    assert missing.items() <= env.items()
