"""What can go wrong on somebody's machine, said in one sentence."""

from __future__ import annotations

import errno
from pathlib import Path

_TELLING = ("FATAL", "PANIC", "ERROR", "rror:", "Exception")


class Trouble(Exception):
    """Nothing a program could mend: its text is the sentence for the person who typed the command."""


def full_disk(where: Path | str) -> Trouble:
    """There is no room left."""
    return Trouble(f"The disk is full: nothing more can be written under {where}. Make room and start again.")


def of_os_error(error: OSError, where: Path) -> Trouble:
    """The sentence for what the operating system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full_disk(where)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Trouble(f"{error.filename or where} cannot be written by this user.")
    return Trouble(f"{error.filename or where}: {error.strerror or error}")


def last_words(log: Path, start: int = 0) -> str:
    """The line that most likely says why, from what a program wrote after byte `start`."""
    text = log.read_bytes()[start:].decode(errors="replace") if log.exists() else ""
    if "No space left on device" in text:
        return "no space left on the disk"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in _TELLING)]
    return (telling or lines or ["it wrote nothing"])[-1][:300]


def of_log(name: str, log: Path, start: int = 0) -> Trouble:
    """Why a part did not start, from the end of what it wrote after byte `start`."""
    why = last_words(log, start)
    if why == "no space left on the disk":
        return full_disk(log.parent.parent)
    return Trouble(f"{name} did not start: {why} (more in {log})")
