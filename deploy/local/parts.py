"""The real parts, for tests and tools: each can be stopped, killed and started again at the same address.

    with start_postgres(folder) as postgres, start_kafka(folder) as kafka:
        use(postgres.url, kafka.bootstrap_servers)
        kafka.kill()
        kafka.start()

To be called from the main thread: Linux ends a part together with the thread that started it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from .kafka import Kafka
from .mail import Mail
from .postgres import Postgres

__all__ = ["Kafka", "Mail", "Postgres", "start_both", "start_kafka", "start_mail", "start_postgres"]


def start_postgres(directory: Path) -> Postgres:
    """A running PostgreSQL that keeps its data in `directory`."""
    return Postgres(directory).start()


def start_kafka(directory: Path, say: Callable[[str], None] | None = None) -> Kafka:
    """A running Kafka that keeps its data in `directory`; `say` hears of the first fetch."""
    return (Kafka(directory, say) if say else Kafka(directory)).start()


def start_mail(directory: Path) -> Mail:
    """A running mail catcher that keeps mails in `directory`/mail."""
    return Mail(directory).start()


def start_both(directory: Path, say: Callable[[str], None] | None = None) -> tuple[Postgres, Kafka]:
    """PostgreSQL and Kafka, made at the same time."""
    postgres, kafka = Postgres(directory), Kafka(directory, say) if say else Kafka(directory)
    making = [Making(postgres.prepare), Making(kafka.prepare)]
    for made in making:
        made.wait()
    postgres.spawn()
    kafka.spawn()
    postgres.process.wait_until(postgres.ready, 60)
    kafka.process.wait_until(kafka.ready, 60)
    return postgres, kafka


class Making:
    """Something slow going on in a thread, which never holds up the end of this process."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """True when done; raises what went wrong in it."""
        self._thread.join(seconds)
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # raised again in the waiting thread
            self._error = error
