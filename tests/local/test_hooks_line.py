"""`complaint-loop hooks` beside a service that is running: an endpoint is added, works within a second, and is looked
at; what cannot be understood is listed and retried by `parked`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from deploy.local.ports import free_port
from services.command import hooks
from services.intake.adapters import TOOLS
from services.intake.adapters.pieces.shape import Endpoint
from tests.local.waiting import until

ROOT = Path(__file__).resolve().parents[2]


class Line:
    """The command line, and intake as a process."""

    def __init__(self, database_url: str) -> None:
        self.port = free_port()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("COMPLAINT_LOOP_")}
        self.env |= {
            "COMPLAINT_LOOP_DATABASE_URL": database_url,
            "COMPLAINT_LOOP_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "COMPLAINT_LOOP_SECRET_KEY": "a secret key of more than thirty-two characters",
            "COMPLAINT_LOOP_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }
        self.url = f"http://127.0.0.1:{self.port}"

    def __call__(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        env = self.env | {f"COMPLAINT_LOOP_{name}": value for name, value in settings.items()}
        command = [sys.executable, "-m", "services", *words]
        return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    def post(self, tool: str, endpoint: str, secret: str, body: bytes) -> httpx.Response:
        made = TOOLS[tool].sign(body, Endpoint(tool, endpoint, secret), datetime.now(UTC))
        return httpx.post(f"{self.url}/v1/hooks/{tool}/{endpoint}", content=body, headers=dict(made))


@pytest.fixture
def line(database_url: str) -> Iterator[Line]:
    made = Line(database_url)
    process = subprocess.Popen(
        [sys.executable, "-m", "services", "serve", "intake", "--only", "api", "--only", "hooks"],
        env=made.env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _alive(made.url), 30)
        yield made
    finally:
        process.terminate()
        process.wait(20)


def _alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


def test_an_endpoint_is_added_works_and_is_looked_at(line: Line) -> None:
    key = line("keys", "create", "--name", "reader", "--scopes", "intake").stdout.strip()
    body = json.dumps(
        {
            "type": "zen:event-type:ticket.comment_added", "id": "evt-1", "time": "2026-11-20T09:00:00Z",
            "detail": {"id": "9", "requester_id": "77"},
            "event": {"comment": {"id": "c1", "body": "It drops", "is_public": True, "author": {"id": "77"}}},
        }
    ).encode()  # fmt: skip
    # asked for before it is there, so that the door remembers that it is not
    assert line.post("zendesk", "main", "s3cret", body).status_code == 404
    added = line(
        "hooks", "add", "zendesk", "--endpoint", "main", "--secret", "s3cret", "--url", "https://care.example/z"
    )
    assert (added.returncode, added.stderr) == (0, "")
    assert "https://care.example/z" in added.stdout and "Subscribe to" in added.stdout
    began = time.monotonic()
    until(lambda: line.post("zendesk", "main", "s3cret", body).is_success, 1)
    assert time.monotonic() - began < 1
    assert line.post("zendesk", "main", "wrong", body).status_code == 401
    assert line.post("zendesk", "main", "s3cret", b"{not json").is_success
    assert line("hooks", "test", "zendesk").returncode == 0
    second = line("hooks", "add", "freshdesk", "--endpoint", "f", "--secret", "k", "--option", "api_token=t0ken")
    assert "--option prefix" in second.stderr
    assert line("hooks", "test", "f").stdout == "freshdesk/f: works: signature taken, delivery kept\n"

    def contacts() -> Any:
        headers = {"authorization": f"Bearer {key}"}
        return httpx.get(f"{line.url}/v1/contacts?source=zendesk&conversation_id=9", headers=headers).json()["items"]

    assert [one["text"] for one in until(contacts, 30)] == ["It drops"]
    listed = until(lambda: json.loads(line("parked", "list", "--json").stdout)["items"], 30)
    assert listed[0]["origin"] == "hook:zendesk/main"
    retried = line("parked", "retry", listed[0]["id"])
    assert retried.returncode == 1 and "parked again: the body cannot be read" in retried.stdout
    told = json.loads(line("hooks", "list", "--json").stdout)["items"]
    assert [(one["tool"], one["endpoint"], one["options"]) for one in told] == [
        ("freshdesk", "f", {}),
        ("zendesk", "main", {}),
    ]
    assert told[1]["deliveries"] == {"taken": 1, "parked": 1, "nothing": 1}
    assert "t0ken" not in str(told) and "s3cret" not in str(told)
    # kept under another SECRET_KEY it cannot be read, and nothing says otherwise
    assert line("hooks", "test", "f", SECRET_KEY="x" * 40).returncode == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pigeon", "--endpoint", "a", "--secret", "s"], "zendesk"),
        (["zendesk", "--endpoint", "a/b", "--secret", "s"], "letters"),
        (["zendesk", "--endpoint", "a", "--secret", " "], "empty"),
        (["zendesk", "--endpoint", "a", "--secret", "s", "--url", "care.example"], "https"),
        (["zendesk", "--endpoint", "a", "--secret", "s", "--option", "colour=red"], "prefix"),
        (["standard-webhooks", "--endpoint", "a", "--secret", "!"], "whsec_"),
    ],
)
def test_what_is_wrong_is_told(words: list[str], told: str) -> None:
    done = CliRunner().invoke(hooks.app, ["add", *words])
    assert done.exit_code == 2 and told in done.output
