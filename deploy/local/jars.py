"""The jars of Apache Kafka: named and pinned by SHA-256 in kafka.lock, fetched once for all clones of this user.

`python -m deploy.local.jars` writes the lock anew, after a change of the version here.
"""

from __future__ import annotations

import hashlib
import os
import queue
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from .trouble import Trouble, of_os_error

KAFKA = "4.4.0"
_KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA}"
_LOCK = Path(__file__).with_name("kafka.lock")
_AT_ONCE, _PATIENCE_SECONDS = 4, 120.0


def cache_folder() -> Path:
    """Where the jars are kept, outside any clone."""
    base = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME") or tempfile.gettempdir()) / ".cache"
    return Path(base) / "complaint-loop" / f"kafka-{KAFKA}"


def locked() -> dict[str, str]:
    """Coordinate -> SHA-256."""
    lines = [line.split() for line in _LOCK.read_text().splitlines() if line and not line.startswith("#")]
    return {coordinate: sha256.removeprefix("sha256:") for coordinate, sha256 in lines}


def classpath(say: Callable[[str], None]) -> str:
    """The verified jars, in the order of the lock; fetches what is missing or damaged."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wanted = {coordinate: (folder / _file_name(coordinate), sha256) for coordinate, sha256 in locked().items()}
        missing = [one for one, (path, sha256) in wanted.items() if _sha256(path) != sha256]
        if missing:
            _fetch(missing, wanted, folder, say)
    except OSError as error:
        raise of_os_error(error, folder) from error
    return os.pathsep.join(str(path) for path, _ in wanted.values())


def _file_name(coordinate: str) -> str:
    _, artifact, version = coordinate.split(":")
    return f"{artifact}-{version}.jar"


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _fetch(missing: list[str], wanted: dict[str, tuple[Path, str]], folder: Path, say: Callable[[str], None]) -> None:
    _trust_as_others_do()
    say(f"Fetching Apache Kafka {KAFKA}: {len(missing)} jars, about 44 MB, once for this user ({folder})")
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, Exception | None]] = queue.SimpleQueue()
    for one in missing:
        todo.put(one)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder, ignore_cleanup_errors=True) as scratch:

        def work() -> None:
            while True:
                try:
                    coordinate = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    _fetch_one(coordinate, *wanted[coordinate], Path(scratch))
                    done.put((coordinate, None))
                except Exception as error:  # told in the waiting thread, whatever it is
                    done.put((coordinate, error))
                    return

        for _ in range(_AT_ONCE):
            threading.Thread(target=work, daemon=True).start()
        for count in range(1, len(missing) + 1):
            try:
                _, error = done.get(timeout=_PATIENCE_SECONDS)
            except queue.Empty:
                raise _no_network("no answer") from None
            if isinstance(error, (Trouble, OSError)) and not _is_network(error):
                raise error
            if error is not None:
                raise _no_network(type(error).__name__) from error
            if count % 5 == 0 or count == len(missing):
                size = sum(path.stat().st_size for path, _ in wanted.values() if path.exists()) / 1e6
                say(f"  {count} of {len(missing)} jars, {size:.0f} MB")


def _trust_as_others_do() -> None:
    # behind a company's own certificate OpenSSL and pip are told of it by these, and requests listens to neither
    told = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT")
    if told and not (os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")):
        os.environ["REQUESTS_CA_BUNDLE"] = told


def _is_network(error: Exception) -> bool:
    import requests

    return isinstance(error, (requests.RequestException, ConnectionError, TimeoutError))


def _no_network(why: str) -> Trouble:
    return Trouble(
        f"Apache Kafka could not be fetched ({why}): the first start needs the network once; "
        "or name a running Kafka in COMPLAINT_LOOP_KAFKA_BOOTSTRAP_SERVERS."
    )


def _fetch_one(coordinate: str, path: Path, sha256: str, scratch: Path) -> None:
    from jgo.maven import MavenContext

    group, artifact, version = coordinate.split(":")
    context = MavenContext(repo_cache=scratch, timeout=30)
    got = context.project(group, artifact).at_version(version).artifact().resolve()
    if _sha256(got) != sha256:
        raise Trouble(f"{coordinate} is not what kafka.lock says: its SHA-256 differs, so it is not used.")
    got.replace(path)  # whole and verified, or not there


def _write_lock() -> None:
    from jgo.maven import MavenContext

    scratch = Path(tempfile.mkdtemp())
    context = MavenContext(repo_cache=scratch, timeout=30)
    inputs, others = context.resolver.resolve([context.create_dependency(_KAFKA)])
    found = [*inputs, *(one for one in others if one.scope in ("compile", "runtime"))]
    # Kafka names slf4j and log4j, not the bridge between them. Apart: resolved together it changes other versions.
    log4j = next(one.version for one in found if one.artifactId == "log4j-core")
    found.append(context.create_dependency(f"org.apache.logging.log4j:log4j-slf4j-impl:{log4j}"))
    lines = [f"{d.groupId}:{d.artifactId}:{d.version} sha256:{_sha256(d.artifact.resolve())}" for d in found]
    _LOCK.write_text("# Written by `python -m deploy.local.jars`; what is fetched must have this SHA-256.\n")
    with _LOCK.open("a") as lock:
        lock.writelines(f"{line}\n" for line in lines)
    shutil.rmtree(scratch)
    sys.stdout.write(f"{len(lines)} jars locked\n")


if __name__ == "__main__":
    _write_lock()
