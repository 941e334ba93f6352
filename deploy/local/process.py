"""One program that we start, watch and stop, and find again when we ourselves were killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from .trouble import last_words, of_log

_LAUNCH = str(Path(__file__).with_name("launch.py"))
_KEEP_LOG_BYTES = 10_000_000


class Process:
    """A program in a session of its own: Ctrl-C in the terminal reaches us, never it, so that we choose the order."""

    def __init__(self, name: str, directory: Path, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        self.name, self.directory, self.stop_signal = name, directory, stop_signal
        self.log = directory / "log" / f"{name}.log"
        self._record = directory / "state" / f"{name}.json"
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """Of the running program."""
        return self._child.pid if self._child and self._child.poll() is None else None

    @property
    def ended(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs or was never started."""
        return self._child.poll() if self._child else None

    def last_words(self) -> str:
        """What it wrote since its last start that most likely says why it ended."""
        return last_words(self.log, self._log_start)

    def spawn(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Starts the program. Linux ends it when the thread that called this ends: call it from the main thread."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._record.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > _KEEP_LOG_BYTES:
                self.log.replace(self.log.with_suffix(".log.1"))
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        lasting = threading.current_thread() is threading.main_thread()
        death = str(int(self.stop_signal)) if lasting else "0"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-S", _LAUNCH, str(os.getpid()), death, user or "-", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(env if env is not None else os.environ),
                cwd=cwd,
                start_new_session=True,
            )
        with contextlib.suppress(psutil.Error):
            born = psutil.Process(self._child.pid).create_time()
            self._record.write_text(json.dumps({"pid": self._child.pid, "born": born}))

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Waits for a running program to be of use; Trouble where it ends or takes too long."""
        end = time.monotonic() + seconds
        while not ready():
            if self.ended is not None or time.monotonic() > end:
                self.kill()
                raise of_log(self.name, self.log, self._log_start)
            time.sleep(0.02)

    def ask_to_stop(self) -> None:
        """Sends the polite signal; returns at once."""
        if self._child and self._child.poll() is None:
            self._child.send_signal(self.stop_signal)

    def stop(self, seconds: float = 10) -> None:
        """Stops it politely; after `seconds`, by force."""
        self.ask_to_stop()
        if self._child:
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._record.unlink(missing_ok=True)

    def kill(self) -> None:
        """SIGKILL to the program and everything it started."""
        if self._child and self._child.poll() is None:
            with contextlib.suppress(psutil.Error):
                _kill([psutil.Process(self._child.pid)])
            self._child.wait()

    def reap(self) -> bool:
        """Ends what an earlier, killed one of us left running under this name; True if there was something."""
        try:
            record = json.loads(self._record.read_text())
            left = psutil.Process(int(record["pid"]))
            same = abs(left.create_time() - float(record["born"])) < 1  # else the number is somebody else's by now
            same = same and str(self.directory) in " ".join(left.cmdline())
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            same = False
        if same:
            with contextlib.suppress(psutil.Error):
                left.send_signal(self.stop_signal)
                _wait_gone([left], 8)
            _kill([left])
        self._record.unlink(missing_ok=True)
        return bool(same)


def _wait_gone(processes: list[psutil.Process], seconds: float) -> None:
    """A zombie counts as gone: inside a container there may be nobody to collect it."""
    end = time.monotonic() + seconds
    for one in processes:
        with contextlib.suppress(psutil.Error):
            while one.is_running() and one.status() != psutil.STATUS_ZOMBIE and time.monotonic() < end:
                time.sleep(0.02)


def _kill(roots: list[psutil.Process]) -> None:
    doomed = list(roots)
    for root in roots:
        with contextlib.suppress(psutil.Error):
            doomed += root.children(recursive=True)
    for one in doomed:
        with contextlib.suppress(psutil.Error):
            one.kill()
    _wait_gone(doomed, 5)


def kill_those_in(folder: Path, name: str) -> None:
    """SIGKILL to every process of that name working in that folder: what a killed PostgreSQL has left."""
    doomed = []
    for one in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if one.info["name"] == name and one.cwd() == str(folder):
                doomed.append(one)
    for one in doomed:
        with contextlib.suppress(psutil.Error):
            one.kill()
    _wait_gone(doomed, 5)
