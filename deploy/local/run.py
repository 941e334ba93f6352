"""Everything on this machine: starts the parts and the services, keeps them running, and stops them in order."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .folder import ENDPOINTS, check_port, ensure_secret, held, write_secretly
from .given import Given, read_given
from .kafka import Kafka
from .mail import HOST_ID, REPLY_ADDRESS, Mail
from .parts import Making
from .postgres import Postgres
from .process import Process
from .supervise import Keeper, Stopped, StopSignals
from .trouble import Trouble, full_disk, of_os_error

_LAUNCH = str(Path(__file__).with_name("launch.py"))
_READY_SECONDS, _PART_SECONDS = 120.0, 60.0
#: how long each has to stop by itself: together less than the 20 seconds that a clean stop may take
_STOP_SECONDS = {"apis": 6.5, "loops": 5.5, "kafka": 4.0, "postgres": 3.0}
Say = Callable[[str], None]


class Refused(Exception):
    """A child has already said what is wrong; `code` is what we end with."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


def run(say: Say, *, end_with_parent: bool = False) -> None:
    """Starts, keeps and stops everything. Raises Trouble or Refused where that was not possible.

    `end_with_parent`: stop also when the process that started us is gone, so that a killed `make` leaves nothing.
    """
    parent = os.getppid() if end_with_parent else None
    signals = StopSignals()
    given = read_given()
    try:
        with held(given.folder, "make run", given.http_url):
            run_of = _Run(given, signals, say, parent)
            try:
                run_of.start()
                run_of.watch()
            except Stopped:
                say("Stopping …")
            finally:
                run_of.stop()
            say("Stopped. The next start continues where this one ended.")
    except OSError as error:
        raise of_os_error(error, given.folder) from error


class _Run:
    def __init__(self, given: Given, signals: StopSignals, say: Say, parent: int | None) -> None:
        self.given, self.signals, self.say = given, signals, say
        folder = given.folder
        self.postgres = None if given.database_url else Postgres(folder)
        self.kafka = None if given.kafka else Kafka(folder, say)
        self.mail = None if given.smtp_url else Mail(folder)
        self.reply_address: str | None = None
        self.apis, self.loops = Process("apis", folder), Process("loops", folder)
        self.keeper = Keeper(say)
        self._parent = parent
        self._making: list[Making] = []
        self._preparing: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        folder, port = self.given.folder, self.given.port_number
        (folder / ENDPOINTS).unlink(missing_ok=True)
        for left in (self.apis, self.loops):
            left.reap()
        if port is not None:
            check_port(self.given.host, port)
        ensure_secret(folder)
        env = self.given.for_children(
            self.given.database_url or "postgresql://local@127.0.0.1/local",
            self.given.kafka or "127.0.0.1:9092",
            self.given.smtp_url or "smtp://127.0.0.1:25",
        )
        # it looks at settings and policy while the parts start, and goes on when it is told where they are
        self._preparing = self._child("prepare", "--wait", env=env)
        self._start_parts()
        if self.mail:
            self.mail.start()
        self.say("Bringing the database and the topics up to date …")
        prepared = self._prepared()
        env = self.given.for_children(self._database_url(), self._kafka(), self._smtp_url(), self._replies())
        self.reply_address = env.get("COMPLAINT_LOOP_INBOUND_ADDRESS")
        for process, only in ((self.apis, "api"), (self.loops, "loops")):
            self._keep_service(process, only, env)
        self._wait_ready()
        self._announce(prepared)

    def watch(self) -> None:
        """Until a signal, or until the process that we are to end with is gone."""
        while self._parent is None or os.getppid() == self._parent:
            self._step(0.2)

    def stop(self) -> None:
        """Services first, so that what they have begun is finished with Kafka and PostgreSQL still there."""
        (self.given.folder / ENDPOINTS).unlink(missing_ok=True)
        if self._preparing:
            _end(self._preparing)
        for making in self._making[:1]:  # PostgreSQL's: the next start must not meet it half-way
            with contextlib.suppress(Exception):
                making.wait(10)
        before = self.signals.count
        for process in (self.apis, self.loops):
            self._stop_one(process, before)
        if self.mail:
            self.mail.stop()
        for part in (self.kafka, self.postgres):
            if part:
                self._stop_one(part.process, before)

    def _stop_one(self, process: Process, before: int) -> None:
        end = time.monotonic() + _STOP_SECONDS[process.name]
        process.ask_to_stop()
        while process.pid and time.monotonic() < end and self.signals.count == before:
            time.sleep(0.02)
        if process.pid:
            self.say(f"{process.name} did not stop by itself and was ended.")
            process.kill()
        process.stop(0)

    def _start_parts(self) -> None:
        parts = [part for part in (self.postgres, self.kafka) if part]
        if parts:
            names = " and ".join(part.process.name.replace("postgres", "PostgreSQL").title() for part in parts)
            self.say(f"Starting {names.replace('Postgresql', 'PostgreSQL')} in {self.given.folder} …")
        self._making = [Making(part.prepare) for part in parts]
        while not all(making.wait(0) for making in self._making):
            self._step(0.05)
        for part in parts:
            part.spawn()
        for part in parts:
            self._wait_part(part)
            self.keeper.keep(part.process, part.again)

    def _wait_part(self, part: Postgres | Kafka) -> None:
        end = time.monotonic() + _PART_SECONDS
        while not part.ready():
            if part.process.ended is not None or time.monotonic() > end:
                raise self._not_started(part.process)
            self._step(0.02)

    def _not_started(self, process: Process) -> Trouble:
        why = process.last_words()
        if why == "no space left on the disk":
            return full_disk(self.given.folder)
        return Trouble(f"{process.name} did not start: {why} (more in {process.log})")

    def _child(self, *words: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
        """One of our own commands, which ends with us."""
        launch = [sys.executable, "-I", "-S", _LAUNCH, str(os.getpid()), str(int(signal.SIGTERM)), "-"]
        return subprocess.Popen(
            [*launch, *self._program(*words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            start_new_session=True,
        )

    def _program(self, *words: str) -> list[str]:
        # the folder stands in the command line so that a process of this run can be told from those of others
        return [sys.executable, "-X", f"folder={self.given.folder}", "-m", "services", *words]

    def _prepared(self) -> dict[str, Any]:
        """Has the waiting child do its work; answers what it says."""
        child = self._preparing
        assert child is not None and child.stdin is not None and child.stdout is not None
        told = {"database_url": self._database_url(), "kafka_bootstrap_servers": self._kafka()}
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(told).encode() + b"\n")
            child.stdin.close()
        while child.poll() is None:
            self._step(0.02)
        self._step(0)
        found: dict[str, Any] = json.loads(child.stdout.read())
        return found

    def _keep_service(self, process: Process, only: str, env: dict[str, str]) -> None:
        def start() -> None:
            process.spawn(self._program("serve", "all", "--only", only), env=env)

        start()
        self.keeper.keep(process, start)

    def _wait_ready(self) -> None:
        end, missing = time.monotonic() + _READY_SECONDS, "an answer"
        while (answer := self._ask_ready()) is not True:
            missing = answer or missing
            for process in (self.apis, self.loops):
                if self.keeper.deaths() >= 3 and process.ended is not None:
                    raise self._not_started(process)
            if time.monotonic() > end:
                raise Trouble(f"The services are not ready: {missing} is missing (more in {self.apis.log})")
            self._step(0.05)

    def _ask_ready(self) -> bool | str:
        where = urlsplit(self.given.http_url)
        connection = HTTPConnection(where.hostname or "127.0.0.1", where.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            body = answer.read()
            return answer.status == 200 or ", ".join(json.loads(body).get("missing", []))
        except (OSError, HTTPException, ValueError, AttributeError):
            return ""
        finally:
            connection.close()

    def _announce(self, prepared: dict[str, Any]) -> None:
        given, mail_url = self.given, self.mail.url if self.mail else None
        sign_in = f"{(given.public_url or given.http_url).rstrip('/')}/sign-in/{prepared['sign_in_token']}"
        endpoints = {
            "http_url": given.http_url,
            "kafka_bootstrap_servers": self._kafka(),
            "database_url": self._database_url(),
            "smtp_url": self._smtp_url(),
            "mail_url": mail_url,
            "reply_address": self.reply_address,
            "sign_in_url": sign_in,
            "keys": prepared["keys"],
        }
        write_secretly(given.folder / ENDPOINTS, json.dumps(endpoints, indent=1) + "\n")
        self.say("")
        self.say(f"Complaint Loop is ready on {given.http_url}")
        self.say(f"  sign in       {sign_in}")
        self.say(f"  caught mail   {mail_url or 'none: mail goes to COMPLAINT_LOOP_SMTP_URL'}")
        if self.mail and self.reply_address == REPLY_ADDRESS:
            self.say(f"  replies       {self.mail.smtp_url}, to the Reply-To of a caught mail")
        self.say(f"  Kafka         {self._kafka()}")
        self.say(f"  keys          {given.folder / ENDPOINTS} (one for each scope; the database's address too)")
        self.say(f"  logs          {given.folder / 'log'}")
        self.say("Ctrl-C stops everything.")

    def _database_url(self) -> str:
        return self.given.database_url or (self.postgres.url if self.postgres else "")

    def _kafka(self) -> str:
        return self.given.kafka or (self.kafka.bootstrap_servers if self.kafka else "")

    def _smtp_url(self) -> str:
        return self.given.smtp_url or (self.mail.smtp_url if self.mail else "")

    def _replies(self) -> dict[str, str]:
        """The catcher stands in for the mail server that takes replies, too."""
        if not self.mail:
            return {}
        return {
            "INBOUND_ADDRESS": REPLY_ADDRESS,
            "INBOUND_AUTHSERV_ID": HOST_ID,
            "INBOUND_LISTEN": f"lmtp://127.0.0.1:{self.mail.reply_port}",
        }

    def _step(self, seconds: float) -> None:
        """A short wait, with an eye on signals and on what runs."""
        self.signals.check()
        if self._preparing and self._preparing.poll():
            code = self._preparing.returncode  # it has said why
            raise Refused(code if code > 0 else 1)
        self.keeper.look()
        time.sleep(seconds)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
