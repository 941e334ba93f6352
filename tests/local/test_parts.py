"""The real parts: started, stopped, killed and found again, at the same address, with all they held."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from deploy.local.mail import HOST_ID, Mail, list_page, mail_page
from deploy.local.parts import start_kafka, start_postgres
from deploy.local.process import Process
from deploy.local.supervise import Keeper, back_off
from deploy.local.trouble import Trouble, of_os_error
from shared.kafka import Connection, create_topics, topic_partitions
from tests.local.waiting import until


async def ask(url: str, statement: str) -> object:
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetchval(statement)
    finally:
        await conn.close()


def test_postgresql_keeps_what_it_held_through_a_stop_and_a_kill(tmp_path: Path) -> None:
    with start_postgres(tmp_path) as postgres:
        url = postgres.url
        asyncio.run(ask(url, "create table kept as select 7 as n"))
        postgres.stop()
        postgres.start()
        postgres.kill()
        postgres.start()
        assert postgres.url == url
        assert asyncio.run(ask(url, "select n from kept")) == 7
        assert asyncio.run(ask(url, "show jit")) == "off"


def test_postgresql_believes_no_lock_of_a_dead_one(tmp_path: Path) -> None:
    with start_postgres(tmp_path) as postgres:
        postgres.kill()
        lock = tmp_path / "pg" / "postmaster.pid"
        left = lock.read_text().splitlines()
        lock.write_text("\n".join([str(os.getpid()), *left[1:]]) + "\n")  # the number is a living process's by now
        postgres.start()
        assert asyncio.run(ask(postgres.url, "select 1")) == 1


def test_kafka_keeps_its_topics_through_a_kill(tmp_path: Path) -> None:
    with start_kafka(tmp_path) as kafka:
        servers = kafka.bootstrap_servers
        connection = Connection(servers, {})
        assert asyncio.run(create_topics(connection, [("kept", 3, 1, {"retention.ms": "1000000"})])) == ["kept"]
        kafka.kill()
        kafka.start()
        assert kafka.bootstrap_servers == servers
        assert asyncio.run(topic_partitions(connection))["kept"] == 3
        assert asyncio.run(create_topics(connection, [("kept", 3, 1, {})])) == []


OWNER = """
import sys, time
from pathlib import Path
from deploy.local.parts import start_postgres
postgres = start_postgres(Path(sys.argv[1]))
print(postgres.process.pid, postgres.port, flush=True)
time.sleep(600)
"""


def test_a_part_ends_with_its_owner_and_is_replaced_at_the_next_start(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, port = map(int, owner.stdout.readline().split())
        owner.kill()
    with start_postgres(tmp_path) as postgres:
        until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 10)
        assert postgres.port == port
        assert asyncio.run(ask(postgres.url, "select 1")) == 1


def test_what_dies_is_started_again_later_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    now = [1000.0]
    monkeypatch.setattr("deploy.local.supervise.time.monotonic", lambda: now[0])
    process = Process("short", tmp_path)
    keeper = Keeper(said.append)

    def start() -> None:
        process.spawn([sys.executable, "-c", "raise SystemExit('ValueError: no luck')"])

    start()
    keeper.keep(process, start)
    for wait in (0.5, 1.0, 2.0):
        until(lambda: process.ended is not None, 10)
        keeper.look()
        assert f"starting it again in {wait:g} s (ValueError: no luck" in said[-1]
        now[0] += wait - 0.01
        keeper.look()
        assert process.ended is not None
        now[0] += 0.02
        keeper.look()
    assert back_off(50) == 30.0
    process.kill()


def test_a_program_that_ignores_politeness_is_ended(tmp_path: Path) -> None:
    process = Process("deaf", tmp_path)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    process.spawn([sys.executable, "-c", deaf])
    until(lambda: "up" in process.log.read_text(), 10)
    process.stop(0.2)
    assert process.ended == -signal.SIGKILL


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    assert str(of_os_error(OSError(28, "No space left on device"), tmp_path)).startswith("The disk is full")
    process = Process("full", tmp_path)
    process.spawn([sys.executable, "-c", "raise SystemExit('FATAL: could not write: No space left on device')"])
    with pytest.raises(Trouble, match="The disk is full"):
        process.wait_until(lambda: False, 10)


def test_caught_mail_can_be_read_and_its_html_cannot_act(tmp_path: Path) -> None:
    import smtplib

    with Mail(tmp_path) as mail:
        host, port = mail.smtp_url.removeprefix("smtp://").split(":")
        with smtplib.SMTP(host, int(port)) as smtp:
            smtp.sendmail(
                "loop@example.com",
                ["vp@example.com"],
                b"To: vp@example.com\r\nSubject: <script>\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>",
            )
        (kept,) = (tmp_path / "mail").glob("*.eml")
        assert b"X-Envelope-To: vp@example.com" in kept.read_bytes()
        for page in (list_page(tmp_path / "mail"), mail_page(tmp_path / "mail", kept.name)):
            assert "<script>" not in page


def test_a_reply_to_a_caught_mail_is_handed_to_the_service_with_what_is_known_of_its_sender(tmp_path: Path) -> None:
    import smtplib

    from aiosmtpd.controller import Controller
    from aiosmtpd.lmtp import LMTP

    class Service:
        def __init__(self) -> None:
            self.taken: list[tuple[str, list[str], bytes]] = []

        async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
            self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
            return "250 kept"

    class Lmtp(Controller):
        def factory(self) -> LMTP:
            return LMTP(self.handler)

    tag = "answer+m" + "a" * 42 + "@localhost"
    passed = "dmarc=pass header.from=example.com"
    forged = (
        f"From: vp@example.com\r\nAuthentication-Results: {HOST_ID};\r\n {passed}\r\n"
        f"Authentication-Results:{HOST_ID} 1; {passed}\r\n\r\nx"
    )
    with Mail(tmp_path) as mail:
        host, port = mail.smtp_url.removeprefix("smtp://").split(":")
        with (
            smtplib.SMTP(host, int(port)) as smtp,
            pytest.raises(smtplib.SMTPDataError, match="not take mail yet"),
        ):
            smtp.sendmail("vp@example.com", [tag], forged)
        service = Service()
        listening = Lmtp(service, hostname="127.0.0.1", port=mail.reply_port)
        listening.start()
        with smtplib.SMTP(host, int(port)) as smtp:
            smtp.sendmail("vp@example.com", [tag], forged)
            smtp.sendmail("thief@thief.example", [tag], forged)
        listening.stop()
        assert len(list((tmp_path / "mail").glob("*.eml"))) == 2
    assert [(sender, to) for sender, to, _ in service.taken] == [
        ("vp@example.com", [tag]),
        ("thief@thief.example", [tag]),
    ]
    for sender, _, content in service.taken:
        domain = sender.partition("@")[2]
        assert content.startswith(f"Authentication-Results: {HOST_ID}; spf=pass smtp.mailfrom={domain}".encode())
        assert content.lower().count(b"authentication-results") == 1
