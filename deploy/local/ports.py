"""Ports of the local parts: chosen once, remembered, and another one where somebody else took it."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

# Below the range from which systems take the ports of outgoing connections (Linux: 32768 upwards): a client that keeps
# trying a port of that range while its server is down ends up connected to itself, and the server cannot come back.
_LOWEST, _HIGHEST = 15000, 32000


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(taken: frozenset[int] = frozenset()) -> int:
    """A port nobody listens on, not one of `taken`."""
    for port in random.SystemRandom().sample(range(_LOWEST, _HIGHEST), 400):
        if port not in taken and is_free(port):
            return port
    raise OSError("no free port on 127.0.0.1")


class Ports:
    """The ports of one folder, by the name of their part."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "ports.json"

    def of(self, name: str) -> int:
        """The same port as last time, if it is still free."""
        known = self._read()
        port = known.get(name)
        if port is None or not is_free(port):
            port = free_port(frozenset(known.values()))
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(known | {name: port}, indent=1) + "\n")
            fresh.replace(self._file)
        return port

    def _read(self) -> dict[str, int]:
        try:
            return {str(name): int(port) for name, port in json.loads(self._file.read_text()).items()}
        except (OSError, ValueError, AttributeError):
            return {}
