"""The folder of one installation: one run at a time works in it, and its secrets are for its owner alone."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .trouble import Trouble, of_os_error

ENDPOINTS = "endpoints.json"


@contextlib.contextmanager
def held(folder: Path, what: str, where: str) -> Iterator[None]:
    """Keeps `folder` for this process; the kernel lets go of it with the process, however it ends.

    Raises Trouble, naming the other one, where another process has it. `what` and `where` are what that is told.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "run.lock").open("a+")
    except OSError as error:
        raise of_os_error(error, folder) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise Trouble(_taken(folder, file.read())) from None
        try:
            file.truncate(0)
            file.write(json.dumps({"what": what, "where": where, "pid": os.getpid()}))
            file.flush()
        except OSError as error:
            raise of_os_error(error, folder) from error
        yield


def _taken(folder: Path, note: str) -> str:
    try:
        other = json.loads(note)
        who = f"`{other['what']}` (process {other['pid']}, {other['where']})"
    except (ValueError, KeyError, TypeError):
        who = "process"
    return (
        f"Another {who} is at work in {folder}. Stop it first, or give this one a folder and a port of its own: "
        "COMPLAINT_LOOP_LOCAL_DIR=.local-2 PORT=8001 make run"
    )


def write_secretly(path: Path, text: str) -> None:
    """Writes a file whole or not at all, readable by its owner alone."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def ensure_secret(folder: Path) -> None:
    """The secret that signs tokens and sessions: made once, the same after every start."""
    path = folder / "secret_key"
    if not path.exists() or path.stat().st_size < 32:
        write_secretly(path, secrets.token_urlsafe(48) + "\n")


def read_endpoints(folder: Path) -> dict[str, Any]:
    """What a running `make run` has written there; empty where none runs."""
    try:
        found = json.loads((folder / ENDPOINTS).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def check_port(host: str, port: int) -> None:
    """Raises Trouble where no server could listen."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror:
        raise Trouble("COMPLAINT_LOOP_HOST is not an address or a name of this machine.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Trouble(
                f"Port {port} on {host} is used by another program. Stop that, or choose another: make run PORT=8001"
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Trouble(
                f"This user may not serve on port {port}. Choose one above 1023: make run PORT=8001"
            ) from None
        raise Trouble(f"Nothing can be served on {host}, port {port}: {error.strerror}.") from None
