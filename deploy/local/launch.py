"""Becomes another program, which then ends when the one that started it is gone, and which is never root.

Run as a script: `launch.py PARENT SIGNAL USER PROGRAM ARGUMENT…`; SIGNAL 0 and USER - mean: not wanted.
It is a program of its own because both have to be done inside the child, after the fork: with threads in the
parent, Python code between fork and exec may hang.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_CAPABILITY_VERSION_3 = 0x20080522


def _prctl(*arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:5]]
    if libc.prctl(*words) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _permitted() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("CapPrm:")[1].split()[0], 16)


def _keep_capability(number: int) -> None:
    """Gives this process, and what it becomes, one capability and no other."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(1 << number, 1 << number, 1 << number, 0, 0, 0)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, number)


def become(user: str, program: str) -> None:
    """Leaves root for `user`, who may still walk through folders closed to others (/root, a private temporary folder).

    PostgreSQL refuses to run as root; opening root's folders to everybody instead would outlive us.
    """
    entry = pwd.getpwnam(user)
    keep = None
    if sys.platform == "linux":
        readable = _permitted() >> _CAP_DAC_READ_SEARCH & 1 and Path(program).stat().st_mode & 0o001
        keep = _CAP_DAC_READ_SEARCH if readable else _CAP_DAC_OVERRIDE
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if keep is not None:
        _keep_capability(keep)


def main() -> None:
    """Prepares this process and becomes the program."""
    parent, signal_number, user, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    if user != "-":
        become(user, program)
    if signal_number and sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal_number)  # after the change of user, which clears it
        if os.getppid() != parent:
            sys.exit(1)  # the parent went before we could ask to be told
    os.execv(program, sys.argv[4:])


if __name__ == "__main__":
    main()
