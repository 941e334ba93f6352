"""`topics`: what deploy/topics.yaml declares, made and compared with what Kafka has."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from services.command.settings import KafkaSettings

app = typer.Typer(help="The topics that deploy/topics.yaml declares.", no_args_is_help=True)
DECLARED = Path(__file__).resolve().parents[2] / "deploy" / "topics.yaml"


@dataclass(frozen=True)
class Topic:
    """One topic as it should be."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str]


def declared(replication: int | None = None) -> list[Topic]:
    """All topics; `replication` stands in for what the file says."""
    import yaml

    said: dict[str, Any] = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))
    common = said["defaults"]
    topics = []
    for name, own in said["topics"].items():
        replicas = replication or int(own.get("replication", common["replication"]))
        config = {key: str(value) for key, value in (common["config"] | own.get("config", {})).items()}
        config["min.insync.replicas"] = str(min(replicas, int(config["min.insync.replicas"])))
        topics.append(Topic(name, int(own.get("partitions", common["partitions"])), replicas, config))
    return topics


async def create_missing(settings: KafkaSettings) -> tuple[list[str], list[str]]:
    """Creates what is missing; answers the names that were new, and what differs from the declaration."""
    from shared.kafka import Connection, create_topics

    connection = Connection(settings.kafka_bootstrap_servers, settings.kafka_security())
    topics = declared(settings.topic_replication)
    made = await create_topics(connection, [(t.name, t.partitions, t.replication, t.config) for t in topics])
    # a broker hears of a topic a moment after the controller has made it
    for _ in range(50):
        differ = await differences(settings)
        if not any(sentence == f"{name} is missing" for sentence in differ for name in made):
            break
        await asyncio.sleep(0.1)
    return made, differ


async def differences(settings: KafkaSettings) -> list[str]:
    """One sentence for each topic that is not as declared."""
    from shared.kafka import Connection, topic_partitions

    there = await topic_partitions(Connection(settings.kafka_bootstrap_servers, settings.kafka_security()))
    found = []
    for topic in declared(settings.topic_replication):
        partitions = there.get(topic.name)
        if partitions is None:
            found.append(f"{topic.name} is missing")
        elif partitions != topic.partitions:
            found.append(
                f"{topic.name} has {partitions} partitions instead of {topic.partitions}; a change loses the order "
                "per customer, so it is left"
            )
    return found


def _answer(as_json: bool, made: list[str], differ: list[str]) -> None:
    import json

    if as_json:
        typer.echo(json.dumps({"created": made, "differ": differ, "topics": [t.name for t in declared()]}))
    else:
        for name in made:
            typer.echo(f"{name}: created")
        for sentence in differ:
            typer.echo(sentence, err=True)
        if not made and not differ:
            typer.echo("All topics are as declared.")
    if differ:
        raise typer.Exit(1)


@app.command()
def create(as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False) -> None:
    """Create the topics that are missing; what exists is left as it is."""
    from services.command.settings import KafkaSettings
    from shared.settings import load

    _answer(as_json, *asyncio.run(create_missing(load(KafkaSettings))))


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False) -> None:
    """Compare Kafka's topics with the declaration; exit code 1 where they differ."""
    from services.command.settings import KafkaSettings
    from shared.settings import load

    _answer(as_json, [], asyncio.run(differences(load(KafkaSettings))))
