"""`post_to_mail_p50_ms`, `post_to_mail_p99_ms`: from a POST that threatens to leave to the executive's mail, accepted;
`post_to_mail_loaded_p99_ms`: the same while 300 other contacts a second come in.

The whole system as `make run` starts it, otherwise idle; the ceiling is the same POST and a bare handing over of a
mail to the same server.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml
from aiosmtpd.controller import Controller

from deploy.bench import load
from deploy.local.ports import free_port

CONTACTS = 120
_EXAMPLE = Path(__file__).parents[1] / "policy.example.yaml"
_PATIENCE = 20.0
#: contacts a second beside those that are measured, and for how long
LOAD, _LOAD_SECONDS = 300, 45.0


class _Post:
    """Takes mails and remembers when, by the customer's words in them."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.came = threading.Condition()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        text = envelope.content.decode("utf-8", "replace").replace("=\r\n", "")
        with self.came:
            for word in text.split():
                if word.startswith("mark-"):
                    self.at.setdefault(word[:37], time.perf_counter())
            self.came.notify_all()
        return "250 OK"

    def wait_for(self, mark: str) -> float:
        """When the mail with this mark came."""
        with self.came:
            if not self.came.wait_for(lambda: mark in self.at, _PATIENCE):
                raise SystemExit("the mail did not come")
            return self.at[mark]


def run() -> Iterator[dict[str, Any]]:
    """Yields both figures."""
    post, smtp_port = _Post(), free_port()
    smtp = Controller(post, hostname="127.0.0.1", port=smtp_port)
    smtp.start()
    with running_system(smtp_port) as endpoints:
        yield from _measure(endpoints, post, smtp_port)
        yield _loaded(endpoints, post)
    smtp.stop(no_assert=True)


@contextlib.contextmanager
def running_system(smtp_port: int | None = None) -> Iterator[dict[str, Any]]:
    """Everything as `make run` starts it, in a folder of its own; nobody is spared a mail. Gives its endpoints."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        policy = yaml.safe_load(_EXAMPLE.read_text(encoding="utf-8"))
        policy["escalation"]["mail_budget"] = {"per_minute": 100_000, "per_hour": 100_000}
        (Path(folder) / "policy.yaml").write_text(yaml.safe_dump(policy, allow_unicode=True), encoding="utf-8")
        environment = os.environ | {
            "PORT": str(port),
            "COMPLAINT_LOOP_PORT": str(port),
            "COMPLAINT_LOOP_LOCAL_DIR": folder,
            "COMPLAINT_LOOP_POLICY_FILE": f"{folder}/policy.yaml",
        }
        if smtp_port is not None:
            environment["COMPLAINT_LOOP_SMTP_URL"] = f"smtp://127.0.0.1:{smtp_port}"
        running = subprocess.Popen(
            [sys.executable, "-m", "services", "run"], env=environment, stdout=subprocess.DEVNULL
        )
        try:
            yield _ready(running, Path(folder) / "endpoints.json")
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(30)


def _ready(running: subprocess.Popen[bytes], endpoints: Path) -> dict[str, Any]:
    end = time.monotonic() + 120
    while not endpoints.exists():
        if running.poll() is not None or time.monotonic() > end:
            raise SystemExit("the system did not start")
        time.sleep(0.1)
    found: dict[str, Any] = json.loads(endpoints.read_text())
    return found


def _measure(endpoints: dict[str, Any], post: _Post, smtp_port: int) -> Iterator[dict[str, Any]]:
    posts, mails, bare = [], [], []
    with _client(endpoints) as http:
        for number in range(CONTACTS + 10):
            posted, came = _once(http, post)
            if number >= 10:  # the first ones warm everything up
                posts.append(posted)
                mails.append(came)
                bare.append(_bare(smtp_port))
    against = {
        "post_p50_ms": milliseconds(posts, 50),
        "bare_smtp_p50_ms": milliseconds(bare, 50),
        "contacts": CONTACTS,
    }
    yield {"figure": "post_to_mail_p50_ms", "value": milliseconds(mails, 50), "unit": "ms", "against": against}
    yield {"figure": "post_to_mail_p99_ms", "value": milliseconds(mails, 99), "unit": "ms", "against": against}


def _loaded(endpoints: dict[str, Any], post: _Post) -> dict[str, Any]:
    port = urlsplit(endpoints["http_url"]).port or 80
    beside = load.steady(port, _LOAD_SECONDS, endpoints["keys"]["intake"], LOAD)
    posts, mails = [], []
    end = time.monotonic() + _LOAD_SECONDS - 1
    with _client(endpoints) as http:
        while time.monotonic() < end:
            posted, came = _once(http, post)
            posts.append(posted)
            mails.append(came)
    found = json.loads(beside.communicate()[0])
    if found["errors"]:
        raise SystemExit(f"{found['errors']:.0f} contacts were not taken")
    against = {
        "post_p99_ms": milliseconds(posts, 99),
        "mail_p50_ms": milliseconds(mails, 50),
        "mail_longest_ms": round(max(mails) * 1000, 1),
        "other_contacts_per_s": round(found["per_second"]),
        "contacts": len(mails),
    }
    return {"figure": "post_to_mail_loaded_p99_ms", "value": milliseconds(mails, 99), "unit": "ms", "against": against}


def _client(endpoints: dict[str, Any]) -> httpx.Client:
    headers = {"Authorization": f"Bearer {endpoints['keys']['intake']}"}
    return httpx.Client(base_url=endpoints["http_url"], headers=headers, timeout=10)


def _once(http: httpx.Client, post: _Post) -> tuple[float, float]:
    """Seconds until a contact was answered, and until its mail came."""
    mark = f"mark-{uuid.uuid4().hex}"
    began = time.perf_counter()
    answer = http.post("/v1/contacts", json=_contact(mark))
    posted = time.perf_counter()
    if answer.status_code != 202:
        raise SystemExit(f"the contact was answered {answer.status_code}")
    return posted - began, post.wait_for(mark) - began


def _contact(mark: str) -> dict[str, Any]:
    return {
        "source": "bench",
        "source_event_id": mark,
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "channel": "email",
        "customer": {"id": f"c-{mark}", "name": "Bench", "email": "bench@customer.example"},
        "responder": {"id": "agent-1"},
        "text": f"If this is not fixed by Friday I will cancel my contract. {mark}",
        "complaint": True,
    }


def _bare(port: int) -> float:
    import smtplib

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "bare"
    message.set_content("bare")
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(message)
    return time.perf_counter() - began


def milliseconds(seconds: list[float], percent: int) -> float:
    """A percentile, in milliseconds."""
    return round(statistics.quantiles(seconds, n=100)[percent - 1] * 1000, 1)
