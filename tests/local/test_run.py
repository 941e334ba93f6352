"""`complaint-loop run`, as `make run` starts it: everything up, one at a time, killed and started again, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.local.ports import free_port
from tests.local.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SCOPES = {"intake", "agent", "supervisor", "executive", "integration", "admin"}


class Run:
    """One installation in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.log = folder.with_name("run.log")
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self, **settings: str) -> subprocess.Popen[bytes]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("COMPLAINT_LOOP_")}
        env |= {"PORT": str(self.port), "COMPLAINT_LOOP_LOCAL_DIR": str(self.folder), **settings}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "services", "run"], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT
            )

    def start(self) -> dict[str, Any]:
        (self.folder / "endpoints.json").unlink(missing_ok=True)
        self.process = self.spawn()
        return until(self.endpoints, 90, lambda: self.log.read_text()[-800:])

    def endpoints(self) -> dict[str, Any] | None:
        assert self.process is None or self.process.poll() is None, self.log.read_text()[-800:]
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads((self.folder / "endpoints.json").read_text()))
        return None

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(25)

    def tree(self) -> list[psutil.Process]:
        found = []
        for one in psutil.process_iter(["cmdline"]):
            with contextlib.suppress(psutil.Error):
                if any(str(self.folder) in word for word in one.info["cmdline"] or []) and one.status() != "zombie":
                    found.append(one)
        return found

    def get(self, path: str, key: str = "") -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
            return connection.getresponse().status


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path / "local")
    yield run
    if run.process and run.process.poll() is None:
        run.stop()
    for left in run.tree():
        left.kill()


def test_it_starts_survives_kills_and_stops(run: Run) -> None:
    first = run.start()
    assert run.get("/readyz") == 200
    assert first["keys"].keys() == SCOPES
    assert (run.folder / "endpoints.json").stat().st_mode & 0o077 == 0
    assert first["sign_in_url"].startswith(f"http://127.0.0.1:{run.port}/sign-in/")
    assert first["reply_address"] == "answer@localhost"
    assert run.get("/v1/complaints", first["keys"]["agent"]) == 200
    assert run.process is not None
    assert psutil.Process(run.process.pid).memory_info().rss < 60_000_000

    second = run.spawn()
    assert second.wait(20) == 1
    assert "Another `make run`" in run.log.read_text()

    (api,) = [one for one in run.tree() if "api" in one.cmdline()]
    api.kill()
    until(lambda: "apis: ended by SIGKILL" in run.log.read_text(), 60)
    until(lambda: _answers(run), 60)

    run.process.kill()  # its children are told by the kernel, and the next start waits for them
    run.process.wait()
    again = run.start()
    assert again["keys"] == first["keys"]
    assert again["database_url"] == first["database_url"]

    for one in [*run.tree(), psutil.Process(run.process.pid)]:
        with contextlib.suppress(psutil.Error):
            one.kill()
    run.process.wait()
    assert run.start()["kafka_bootstrap_servers"] == first["kafka_bootstrap_servers"]

    began = time.monotonic()
    run.stop()
    assert time.monotonic() - began < 20
    assert run.process.returncode == 0
    assert not (run.folder / "endpoints.json").exists()
    assert run.tree() == []


def _answers(run: Run) -> bool:
    with contextlib.suppress(OSError):
        return run.get("/readyz") == 200
    return False


def test_mistakes_are_told_before_anything_is_kept_running(run: Run) -> None:
    process = run.spawn(COMPLAINT_LOOP_MAIL_FROM="me@example.com", PORT="no-port", COMPLAINT_LOOP_SECRET_KEY="short")
    assert process.wait(30) == 2
    told = run.log.read_text()
    assert "COMPLAINT_LOOP_PORT: " in told and "COMPLAINT_LOOP_SECRET_KEY: " in told and "Traceback" not in told
    assert run.tree() == []
