"""Kafka without the services: what is on its topics can be read while nothing else runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from .folder import held
from .given import read_given
from .kafka import Kafka
from .supervise import Keeper, Stopped, StopSignals
from .trouble import Trouble, of_os_error


def kafka_alone(say: Callable[[str], None]) -> None:
    """Starts the folder's Kafka, with all topics, and keeps it until a signal."""
    signals, folder = StopSignals(), read_given().folder
    try:
        with held(folder, "make kafka", "Kafka alone"):
            kafka, keeper = Kafka(folder, say), Keeper(say)
            try:
                kafka.start()
                keeper.keep(kafka.process, kafka.again)
                _create_topics(kafka.bootstrap_servers)
                say(f"Kafka is ready on {kafka.bootstrap_servers}")
                say(f"  kcat -b {kafka.bootstrap_servers} -t complaint-loop.intake -C -f '%h %s\\n'")
                say("Ctrl-C stops it.")
                while True:
                    signals.check()
                    keeper.look()
                    time.sleep(0.2)
            except Stopped:
                say("Stopping …")
            finally:
                kafka.stop()
    except OSError as error:
        raise of_os_error(error, folder) from error


def _create_topics(bootstrap_servers: str) -> None:
    env = os.environ | {
        "COMPLAINT_LOOP_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "COMPLAINT_LOOP_TOPIC_REPLICATION": "1",
    }
    command = [sys.executable, "-m", "services", "topics", "create", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, start_new_session=True)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise Trouble(f"The topics could not be created: {said}")
