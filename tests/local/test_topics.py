"""What deploy/topics.yaml declares is what the services publish, and nothing else."""

from __future__ import annotations

from services.command.demo.words import CANNED, answers
from services.command.topics import declared
from services.escalation.canned import likeness
from shared.contracts.envelope import topic_of
from shared.contracts.registry import SERVICES


def test_one_topic_a_publisher_and_one_for_what_it_parks() -> None:
    names = {topic.name for topic in declared()}
    assert names == {topic_of(service) + end for service in SERVICES for end in ("", ".parked")}
    assert {topic.partitions for topic in declared()} == {6}


def test_a_lone_broker_is_not_asked_for_more_replicas_than_there_are() -> None:
    alone = declared(1)
    assert {(topic.replication, topic.config["min.insync.replicas"]) for topic in alone} == {(1, "1")}
    assert {(topic.replication, topic.config["min.insync.replicas"]) for topic in declared()} == {(3, "2")}


def test_the_demo_has_words_for_many_plays() -> None:
    said: list[str] = []
    for _ in range(5):
        said.append(next(text for text in answers("Tom") if likeness(text, said).acceptable))
    assert not likeness(CANNED, []).acceptable
