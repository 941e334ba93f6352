"""What is published stands in files that are reviewed: they say what the code does."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from shared.contracts import asyncapi, schemas_of
from shared.contracts.envelope import Envelope, dump, full_type
from shared.contracts.examples import example_of
from shared.contracts.registry import BY_TYPE, PUBLISHED

ROOT = Path(__file__).parents[2]
#: words that would be a customer's name, address or text (contract, section 6)
PERSONAL = {"name", "email", "phone", "address", "text", "subject", "comment", "reason_text", "note", "body"}


def test_the_schemas_in_the_tree_are_those_of_the_code() -> None:
    there = {path.name: path.read_bytes() for path in schemas_of.FOLDER.glob("*.json")}
    assert there == schemas_of.files(), "run: python -m shared.contracts.schemas_of"


def test_the_asyncapi_document_in_the_tree_is_that_of_the_code() -> None:
    assert (ROOT / "asyncapi.yaml").read_bytes() == asyncapi.document(), "run: python -m shared.contracts.asyncapi"


def test_every_event_is_on_one_channel_with_its_schema() -> None:
    document = yaml.safe_load(asyncapi.document())
    on_channels = [name for service in PUBLISHED for name in document["channels"][service]["messages"]]
    assert sorted(on_channels) == sorted(event.TYPE for events in PUBLISHED.values() for event in events)
    for name in on_channels:
        message = document["components"]["messages"][name]
        assert message["name"] == f"complaintloop.{name}.v1"


def test_the_document_has_every_topic_that_is_declared() -> None:
    declared = yaml.safe_load((ROOT / "deploy" / "topics.yaml").read_text())["topics"]
    channels = yaml.safe_load(asyncapi.document())["channels"].values()
    assert sorted(channel["address"] for channel in channels) == sorted(declared)


@pytest.mark.parametrize("name", sorted(BY_TYPE))
def test_a_schema_is_valid_and_lets_future_fields_in(name: str) -> None:
    schema = schemas_of.schema_of(BY_TYPE[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema.get("additionalProperties", True) is True
    assert schema["title"] == name == full_type(BY_TYPE[name])


@pytest.mark.parametrize("name", sorted(BY_TYPE))
def test_no_event_has_room_for_names_addresses_or_texts(name: str) -> None:
    schema = schemas_of.schema_of(BY_TYPE[name])
    parts = [schema, *schema.get("$defs", {}).values()]
    assert not {field for part in parts for field in part.get("properties", {})} & PERSONAL


@pytest.mark.parametrize("name", sorted(BY_TYPE))
def test_the_example_of_an_event_is_one(name: str) -> None:
    event = BY_TYPE[name]
    example = example_of(event)
    jsonschema.Draft202012Validator(schemas_of.schema_of(event)).validate(example)
    read = event.model_validate_json(json.dumps(example))
    assert set(example) == set(event.model_fields)
    assert json.loads(dump(read)) == example


def test_examples_stand_in_the_document_with_headers_that_our_consumers_read() -> None:
    for name, message in yaml.safe_load(asyncapi.document())["components"]["messages"].items():
        (example,) = message["examples"]
        headers = [(key, value.encode()) for key, value in example["headers"].items()]
        envelope = Envelope.from_kafka(b"c-1042", json.dumps(example["payload"]).encode(), headers)
        assert name == BY_TYPE[envelope.type].TYPE
        assert envelope.customer_id == example["payload"]["customer_id"]
