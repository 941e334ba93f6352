"""The whole system as processes, on a PostgreSQL and a Kafka of its own that may be killed."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml
from aiokafka.admin import AIOKafkaAdminClient
from aiosmtpd.controller import Controller

from deploy.local.parts import Kafka, Postgres, start_both
from deploy.local.ports import free_port
from deploy.local.process import Process
from shared.contracts.envelope import topic_of
from shared.kafka import Connection, group_lag
from tests.world import READS

#: outages as long as the law of this house has them, every fault point alone; else shorter ones
LONG = os.environ.get("COMPLAINT_LOOP_LONG") == "1"
_PATIENCE = 90.0
_EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "policy.example.yaml"


async def until(fact: Callable[[], Awaitable[Any] | Any], what: str, patience: float = _PATIENCE) -> Any:
    """Asks again and again until the answer is true, and returns it; AssertionError after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        answer = fact()
        found = await answer if isinstance(answer, Awaitable) else answer
        if found:
            return found
        assert time.monotonic() < end, f"{what}: not within {patience:.0f} s"
        await asyncio.sleep(0.05)


class Letterbox:
    """A mail server that takes everything; `taken` counts the mails of each Message-ID."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()
        self.url = f"smtp://127.0.0.1:{self._controller.port}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # aiosmtpd's name
        head = bytes(envelope.content).partition(b"\r\n\r\n")[0].decode()
        (name,) = [line.partition(":")[2].strip() for line in head.split("\r\n") if line.lower().startswith("message-")]
        self.taken[name] += 1
        return "250 taken"

    def close(self) -> None:
        """Ends the server."""
        self._controller.stop()


class System:
    """PostgreSQL, Kafka, a mail server, and any number of processes of the services."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mail = Letterbox()
        self.postgres: Postgres
        self.kafka: Kafka
        self.postgres, self.kafka = start_both(folder)
        self.running: dict[str, Process] = {}
        self.url = f"http://127.0.0.1:{free_port()}"
        self.env = self._environment()
        done = subprocess.run(self._program("prepare"), env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self.keys: dict[str, str] = json.loads(done.stdout)["keys"]

    def _environment(self) -> dict[str, str]:
        policy = yaml.safe_load(_EXAMPLE.read_text())
        policy["version"] = "outage"
        policy["escalation"] |= {"mail_budget": {"per_minute": 10_000, "per_hour": 100_000}, "mail_retry_after": ["1s"]}
        (self.folder / "policy.yaml").write_text(yaml.safe_dump(policy))
        ours = {
            "DATABASE_URL": self.postgres.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "TOPIC_REPLICATION": "1",
            "SMTP_URL": self.mail.url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "POLICY_FILE": str(self.folder / "policy.yaml"),
            "LOCAL_DIR": str(self.folder),
            "PUBLIC_URL": self.url,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COMPLAINT_LOOP_")}
        return kept | {f"COMPLAINT_LOOP_{name}": value for name, value in ours.items()} | {"PYTHONUNBUFFERED": "1"}

    def _program(self, *words: str) -> list[str]:
        return [sys.executable, "-X", f"folder={self.folder}", "-m", "services", *words]

    def spawn(self, name: str, *only: str, faults: str = "", url: str = "") -> Process:
        """Starts a process of all three services, with the parts that `only` names. Does not wait."""
        process = self.running[name] = Process(name, self.folder)
        port = (url or self.url).rpartition(":")[2]
        more = {"COMPLAINT_LOOP_PORT": port, "COMPLAINT_LOOP_FAULTS": faults}
        parts = [word for part in only for word in ("--only", part)]
        process.spawn(self._program("serve", "all", *parts), env=self.env | more)
        return process

    async def start(self) -> None:
        """One process with the API and one with the loops, where they do not run already."""
        for name in ("api", "loops"):
            if name not in self.running or self.running[name].pid is None:
                self.spawn(name, name)
        await self.ready(self.url)

    async def ready(self, url: str) -> None:
        """Waits until the API there says that nothing is missing."""
        async with self.client("supervisor", url) as client:

            async def answers() -> bool:
                for name, process in self.running.items():
                    assert process.ended is None, f"{name} ended: {process.last_words()}"
                try:
                    return (await client.get("/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(answers, f"the API on {url}")

    def client(self, scope: str, url: str = "") -> httpx.AsyncClient:
        """Somebody with a key of this scope."""
        headers = {"Authorization": f"Bearer {self.keys[scope]}"}
        return httpx.AsyncClient(base_url=url or self.url, headers=headers, timeout=30)

    async def rows(self, query: str, *values: Any) -> list[Any]:
        """Reads the database, as its owner."""
        conn = await asyncpg.connect(self.postgres.url)
        try:
            return list(await conn.fetch(query, *values))
        finally:
            await conn.close()

    @property
    def connection(self) -> Connection:
        """The way to Kafka."""
        return Connection(self.kafka.bootstrap_servers, {})

    async def members(self, group: str) -> int:
        """How many processes share the work of a consumer group; 0 while they are dividing it."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap_servers)
        await admin.start()
        try:
            (answer,) = await admin.describe_consumer_groups([group])
        finally:
            await admin.close()
        ((_, _, state, _, _, members, *_),) = answer.groups
        return len(members) if state == "Stable" else 0

    async def settled(self) -> None:
        """Waits until nothing is in flight any more."""
        await until(self._settled, "everything that was said to have its effect", 120)

    async def _settled(self) -> bool:
        waiting = """
            select (select count(*) from intake.unsent) + (select count(*) from ownership.unsent)
                 + (select count(*) from escalation.unsent)
                 + (select count(*) from escalation.mails where state in ('queued', 'temporary', 'unknown', 'sending'))
        """
        if (await self.rows(waiting))[0][0]:
            return False
        behind = [
            await group_lag(self.connection, topic_of(reader), [topic_of(source) for source in sources])
            for reader, (sources, _) in READS.items()
        ]
        return not any(behind) and not (await self.rows(waiting))[0][0]

    async def verified(self) -> dict[str, Any]:
        """What `complaint-loop verify` counts, once all has settled; AssertionError with what it finds wrong."""
        await self.settled()
        child = await asyncio.create_subprocess_exec(
            *self._program("verify", "--json"), env=self.env, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await child.communicate()
        books: dict[str, Any] = json.loads(said)
        assert books["right"] and child.returncode == 0, books["findings"]
        counts: dict[str, Any] = books["counts"]
        return counts

    def said(self, name: str, event: str) -> list[str]:
        """The lines of a process's log about an event."""
        log = self.folder / "log" / f"{name}.log"
        return [line for line in log.read_text().splitlines() if event in line] if log.exists() else []

    def stop(self) -> None:
        """Ends everything."""
        for process in self.running.values():
            process.kill()
        self.kafka.kill()
        self.postgres.kill()
        self.mail.close()
