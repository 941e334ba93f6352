"""An instance to play on: the one that runs, or one in a folder that is removed afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from deploy.local.trouble import Trouble
from services.command.local import endpoints, local_parts

_DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
_START_SECONDS = 600.0  # the very first start fetches 44 MB


class Instance(dict[str, Any]):
    """The endpoints of an instance, and the folder it works in."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def wait(self, sentence: str) -> None:
        """Until Ctrl-C, or until the instance ends."""
        sys.stdout.write(f"{sentence}\n")
        if self.process:
            with contextlib.suppress(KeyboardInterrupt):
                self.process.wait()


def running_instance() -> Instance | None:
    """What `make run` has started here, if it answers."""
    found = endpoints()
    try:
        if not found or httpx.get(f"{found['http_url']}/readyz", timeout=5).status_code != 200:
            return None
    except (httpx.TransportError, KeyError):
        return None
    instance = Instance(found)
    instance.folder = Path(os.environ.get("COMPLAINT_LOOP_LOCAL_DIR") or ".local")
    return instance


@contextlib.contextmanager
def own_instance(say: Callable[[str], None]) -> Iterator[Instance]:
    """Starts everything with the demo's policy, on ports of its own; stops and removes it at the end."""
    local_parts()
    from deploy.local.ports import free_port

    folder = Path(tempfile.mkdtemp(prefix="complaint-loop-demo-"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMPLAINT_LOOP_")}
    env = kept | {
        "PORT": str(free_port()),
        "COMPLAINT_LOOP_LOCAL_DIR": str(folder),
        "COMPLAINT_LOOP_POLICY_FILE": str(_DEPLOY / "demo-policy.yaml"),
    }
    launch = [
        sys.executable,
        "-I",
        "-S",
        str(_DEPLOY / "local" / "launch.py"),
        str(os.getpid()),
        str(int(signal.SIGTERM)),
    ]
    command = [*launch, "-", sys.executable, "-m", "services", "run", "--end-with-parent"]
    say("No instance is running: starting one, with a policy that has seconds where a company has hours.")
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        instance = Instance(_wait(process, folder))
        instance.folder, instance.process = folder, process
        yield instance
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(25)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Trouble("The demo's instance did not start; the reason is above.")
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, Any] = json.loads((folder / "endpoints.json").read_text())
            return found
        time.sleep(0.1)
    raise Trouble("The demo's instance did not start in ten minutes.")
