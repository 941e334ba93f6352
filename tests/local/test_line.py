"""The command line as somebody meets it who has set nothing, or set it wrongly: a sentence, never a traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def line(tmp_path: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `complaint-loop` in an empty folder, with these settings and no others."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith("COMPLAINT_LOOP_") and name != "PORT"
    }
    env |= {f"COMPLAINT_LOOP_{name}": value for name, value in settings.items()} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "services", *words]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def nowhere() -> str:
    """An address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_every_command_has_help(tmp_path: Path) -> None:
    top = line(tmp_path, "--help").stdout
    for command in ("serve", "run", "migrate", "import", "feed", "demo", "kafka", "replay", "topics", "policy", "keys"):
        assert f" {command} " in top
        helped = line(tmp_path, command, "--help")
        assert helped.returncode == 0 and "Usage" in helped.stdout


def test_all_settings_that_are_wrong_are_told_at_once(tmp_path: Path) -> None:
    done = line(tmp_path, "prepare", "--check", DATABASE_URL="mysql://secret@x/y", PORT="99999", SECRET_KEY="short")
    assert done.returncode == 2
    told = done.stderr.splitlines()
    names = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "PORT", "SECRET_KEY")
    assert [any(one.startswith(f"COMPLAINT_LOOP_{name}: ") for one in told) for name in names] == [True] * 4
    assert "secret" not in done.stderr and "short" not in done.stderr.replace("at least", "")


def test_what_cannot_be_a_setting_is_told_with_the_rest(tmp_path: Path) -> None:
    wrong = {
        "DATABASE_URL": "mysql://x",
        "KAFKA_BOOTSTRAP_SERVERS": "kafka://broker:9092",
        "KAFKA_SECURITY_PROTOCOL": "TLS",
        "PUBLIC_URL": "loop.example.com",
        "INTAKE_URL": "ftp://intake",
        "POLICY_FILE": "nowhere.yaml",
        "SECRET_KEY": "short",
        "MAIL_FROM": "nobody",
    }
    done = line(tmp_path, "serve", "all", **wrong)
    assert done.returncode == 2
    assert {one.partition(":")[0] for one in done.stderr.splitlines()} == {f"COMPLAINT_LOOP_{name}" for name in wrong}
    assert "fewer than 32 characters" in done.stderr


def test_a_port_that_is_taken_and_a_host_that_is_not_ours(tmp_path: Path) -> None:
    right = {
        "DATABASE_URL": "postgresql://me@127.0.0.1:1/db",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "SECRET_KEY": "a secret of at least thirty-two characters",
    }
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = line(tmp_path, "serve", "intake", PORT=str(taken.getsockname()[1]), **right)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1) and "used by another program" in done.stderr
    done = line(tmp_path, "serve", "intake", HOST="999.1.1.1", **right)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1) and "COMPLAINT_LOOP_HOST" in done.stderr


def test_a_start_names_the_policy_file_with_its_mistakes(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("version: 1\nclocks:\n  - {kind: claim, within: soon}\n")
    done = line(tmp_path, "policy", "explain", POLICY_FILE="p.yaml")
    assert done.returncode == 2 and "p.yaml:3: " in done.stderr


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    done = line(tmp_path, "migrate")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("COMPLAINT_LOOP_DATABASE_URL: is missing")


def test_a_secret_file_that_is_not_there(tmp_path: Path) -> None:
    done = line(tmp_path, "migrate", DATABASE_URL_FILE="/nowhere/at/all")
    assert done.returncode == 2 and "/nowhere/at/all" in done.stderr


def test_a_database_that_is_away(tmp_path: Path, nowhere: str) -> None:
    done = line(tmp_path, "keys", "list", DATABASE_URL=f"postgresql://me:hidden@{nowhere}/db")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "database" in done.stderr and "hidden" not in done.stderr


def test_a_kafka_that_is_away(tmp_path: Path, nowhere: str) -> None:
    done = line(tmp_path, "topics", "check", KAFKA_BOOTSTRAP_SERVERS=nowhere)
    assert done.returncode == 1 and "Kafka cannot be reached" in done.stderr
    assert "Unclosed" not in done.stderr


def test_services_that_are_away(tmp_path: Path, nowhere: str) -> None:
    assert "start `make run`" in line(tmp_path, "feed").stderr + line(tmp_path, "feed", KEY="cl_x").stderr
    done = line(tmp_path, "feed", "--url", f"http://{nowhere}", KEY="cl_x")
    assert done.returncode == 1 and "cannot be reached" in done.stderr
    done = line(tmp_path, "feed", "--url", "loop.example.com", KEY="cl_x")
    assert done.returncode == 1 and "begins with http://" in done.stderr


def test_what_is_typed_wrongly(tmp_path: Path) -> None:
    for words in (
        ("import", "missing.jsonl"),
        ("keys", "create", "--name", "n", "--scopes", "everything"),
        ("serve", "nothing"),
        ("parked", "show", "12"),
        ("serve", "intake", "--only", "magic"),
        ("keys", "create", "--name", "two\nlines", "--scopes", "agent"),
        ("keys", "create", "--name", "n" * 201, "--scopes", "agent"),
        ("keys", "create", "--name", "n", "--scopes", "agent", "--per-second", "99999999999999"),
    ):
        assert line(tmp_path, *words).returncode == 2


def test_policy_mistakes_come_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("version: 1\nclocks:\n  - {kind: claim, within: soon}\n")
    done = line(tmp_path, "policy", "check", "p.yaml")
    assert done.returncode == 2 and "p.yaml:3: " in done.stderr
    assert line(tmp_path, "policy", "check", "nothing.yaml").returncode == 1


def test_terms_are_explained_from_the_file_alone(tmp_path: Path) -> None:
    example = str(ROOT / "deploy" / "policy.example.yaml")
    facts = ("--tier", "gold", "--region", "zhejiang", "--at", "2026-09-29T09:00:00Z")
    done = line(tmp_path, "policy", "explain", example, *facts)
    assert (done.returncode, done.stderr) == (0, "")
    assert "because tier is gold" in done.stdout and "2026-10-01 was skipped: National Day." in done.stdout
    one = json.loads(line(tmp_path, "policy", "explain", example, *facts, "--clock", "claim", "--json").stdout)
    assert [(clock["kind"], clock["due_at"]) for clock in one["clocks"]] == [("claim", "2026-09-29T09:15:00Z")]
    assert line(tmp_path, "policy", "explain", example, "--at", "noon").returncode == 2
    assert line(tmp_path, "policy", "explain", "--what-if", "next").returncode == 2
    assert line(tmp_path, "policy", "explain", "nothing.yaml").returncode == 1


def test_the_examples_are_policies(tmp_path: Path) -> None:
    for name in ("policy.example.yaml", "demo-policy.yaml"):
        done = line(tmp_path, "policy", "check", str(ROOT / "deploy" / name))
        assert (done.returncode, done.stderr) == (0, "")
