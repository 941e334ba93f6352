"""Makes .venv and installs what a lock file says, each file checked by its hash; does nothing when that is done.

Run as a script by any Python 3.11, which has nothing but its standard library: `install.py local|dev`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import NoReturn

_ROOT = Path(__file__).resolve().parents[2]
_VENV = _ROOT / ".venv"
_LOCKS = {"local": "requirements-local.lock", "dev": "requirements-dev.lock"}
_STAMP = _VENV / "installed.json"
_NETWORK = [
    *("NewConnectionError", "NameResolutionError", "Temporary failure in name resolution", "ConnectTimeout"),
    *("Network is unreachable", "Connection refused", "ReadTimeout", "ProxyError", "No matching distribution"),
]


def _give_up(sentence: str) -> NoReturn:
    sys.stderr.write(sentence + "\n")
    sys.exit(1)


def _wanted(kind: str) -> dict[str, str]:
    """What the environment has to be made of for `kind`."""
    digest = hashlib.sha256()
    for name in (*_LOCKS.values(), "pyproject.toml"):
        digest.update((_ROOT / name).read_bytes())
    return {"kind": kind, "digest": digest.hexdigest(), "root": str(_ROOT)}


def _done(wanted: dict[str, str]) -> bool:
    try:
        found = json.loads(_STAMP.read_text())
    except (OSError, ValueError):
        return False
    enough = found.get("kind") in (wanted["kind"], "dev")
    return bool(enough and found | {"kind": wanted["kind"]} == wanted and (_VENV / "bin" / "complaint-loop").exists())


def _make_venv() -> None:
    """A new environment where there is none, or one that its Python or its folder has left."""
    python = _VENV / "bin" / "python"
    if python.exists():
        shebang = (_VENV / "bin" / "pip").read_bytes()[:300] if (_VENV / "bin" / "pip").exists() else b""
        if str(_VENV).encode() in shebang and subprocess.run([python, "-c", ""], check=False).returncode == 0:
            return
    shutil.rmtree(_VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(_VENV)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        shutil.rmtree(_VENV, ignore_errors=True)
        said = made.stdout + made.stderr
        if "No space left on device" in said:
            _give_up(f"The disk is full: no environment can be made in {_VENV}. Make room and start again.")
        if "ensurepip" in said:
            _give_up(
                "This Python cannot make environments: install its venv package (Debian: apt install python3-venv)."
            )
        _give_up(f"No environment could be made in {_VENV}: {(said.strip().splitlines() or ['no reason given'])[-1]}")


def _pip(arguments: list[str], total: int) -> None:
    """Runs pip and tells how far it is."""
    command = [str(_VENV / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--no-color", "--progress-bar", "off", "--retries", "2", *arguments]
    log, last = _VENV / "install.log", deque[str](maxlen=40)
    shown = sys.stdout.isatty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=_ROOT) as pip:
        assert pip.stdout is not None
        count = 0
        with log.open("w") as kept:
            for line in pip.stdout:
                kept.write(line)
                last.append(line)
                found = re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9_.-]+)", line)
                if found and total:
                    count += 1
                    if shown:
                        sys.stdout.write(f"\r  {min(count, total)} of {total}: {found[1]}\033[K")
                        sys.stdout.flush()
                    elif count % 20 == 0 or count == total:
                        sys.stdout.write(f"  {min(count, total)} of {total}: {found[1]}\n")
                        sys.stdout.flush()
                elif line.startswith("Installing collected packages") and total:
                    sys.stdout.write(("\r\033[K" if shown else "") + "  installing\n")
                    sys.stdout.flush()
    if pip.returncode != 0:
        said = "".join(last)
        if "No space left on device" in said:
            _give_up(f"The disk is full: nothing more can be installed in {_VENV}. Make room and start again.")
        if "do not match the hashes" in said or "THESE PACKAGES DO NOT MATCH" in said:
            _give_up(
                f"A package is not what the lock file says: its SHA-256 differs, so it is not used (more in {log})."
            )
        if any(sign in said for sign in _NETWORK):
            _give_up(f"The packages could not be fetched: the first start needs the network once (more in {log}).")
        errors = [line.strip() for line in last if line.startswith("ERROR")]
        _give_up(f"Installing failed: {(errors or ['no reason given'])[0]} (more in {log})")


def main() -> None:
    """Installs what is missing."""
    wanted = _wanted(sys.argv[1])
    if _done(wanted):
        return
    folder = os.open(_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # a second make beside this one waits, and then finds it done
        if _done(wanted):
            return
        name = _LOCKS[wanted["kind"]]
        total = sum(1 for line in (_ROOT / name).read_text().splitlines() if re.match(r"[A-Za-z0-9].*==", line))
        sys.stdout.write(f"Installing {total} packages into {_VENV} ({name})\n")
        sys.stdout.flush()
        _make_venv()
        _STAMP.unlink(missing_ok=True)
        _pip(["--require-hashes", "-r", name], total)
        _pip(["--no-deps", "--no-build-isolation", "--no-index", "-e", "."], 0)
        _STAMP.write_text(json.dumps(wanted))
    finally:
        os.close(folder)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as problem:
        full = "The disk is full. Make room and start again." if problem.errno == 28 else None
        _give_up(full or f"{problem.filename or _VENV}: {problem.strerror}")
