"""CloudEvents over HTTP, against the official scenarios and rules where they are at hand, and what is none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.envelope import Envelope, MalformedError
from shared.http import Problem, strict_loads
from shared.http.cloudevents import CloudEvent, from_binary, from_json, mode_of
from tests.samples import SAMPLES

_FOLDER = SAMPLES / "_standards_cloudevents"
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


def _read(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    if mode_of(kind) == "structured":
        return from_json(strict_loads(body))
    return from_binary([(name.lower().encode(), value.encode()) for name, value in headers.items()], body)


def _scenarios(name: str) -> Iterator[Any]:
    """The scenarios of an official feature, outlines filled in, as lists of (step, table or text)."""
    path = _FOLDER / name
    whole = path.read_text() if path.exists() else ""
    for part in re.split(r"\n\s*Scenario(?: Outline)?: ", whole)[1:]:
        title, _, body = part.partition("\n")
        body, _, examples = body.partition("Examples:")
        kinds = [line.strip(" |") for line in examples.splitlines() if line.strip()][1:] or [""]
        for kind in kinds:
            steps: list[tuple[str, str]] = []
            for step in re.split(r"\n\s*(?=Given|When|Then|And)", "\n" + body.replace("<contentType>", kind)):
                head, _, rest = step.strip().partition("\n")
                if head:
                    steps.append((head, rest))
            yield pytest.param(steps, id=title.replace("<contentType>", kind).replace(" ", "-"))


def _rows(table: str) -> dict[str, str]:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]
    return dict(rows[1:])


def _quoted(text: str) -> str:
    found = re.search(r'"""\n(.*?)\n\s*"""', text, re.DOTALL)
    assert found is not None
    lines = found[1].splitlines()
    least = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[least:] for line in lines)


def _step(steps: list[tuple[str, str]], start: str) -> str:
    return next(rest for head, rest in steps if start in head)


@pytest.mark.parametrize("steps", list(_scenarios("http-protocol-binding.feature")))
def test_the_official_scenarios_over_http(steps: list[tuple[str, str]]) -> None:
    head, _, body = _quoted(_step(steps, "an HTTP request")).partition("\n\n")
    lines = [line.partition(": ") for line in head.splitlines()[1:]]
    event = _read({name: value for name, _, value in lines}, body.encode())
    assert dict(event.attributes) == _rows(_step(steps, "the attributes are"))
    assert event.json() == json.loads(_quoted(_step(steps, "the data is equal")))


@pytest.mark.parametrize("steps", list(_scenarios("kafka-protocol-binding.feature")))
def test_the_official_scenarios_over_kafka(steps: list[tuple[str, str]]) -> None:
    headers = [(key, value.encode()) for key, value in _rows(_step(steps, "Kafka headers")).items()]
    read = Envelope.from_kafka(b"c-1", _quoted(_step(steps, "with payload")).encode(), headers)
    wanted = _rows(_step(steps, "the attributes are"))
    assert (read.id, read.source, read.type) == (wanted["id"], wanted["source"], wanted["type"])
    assert read.time.isoformat() == wanted["time"].replace("Z", "+00:00")
    assert json.loads(read.data) == json.loads(_quoted(_step(steps, "the data is equal")))


def _rules() -> list[Any]:
    path = _FOLDER / "extra_rules.json"
    return json.loads(path.read_text())["http"] if path.exists() else []


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["case"].replace(" ", "-"))
def test_the_other_rules_over_http(rule: dict[str, Any]) -> None:
    headers, body, expected = dict(rule["headers"]), rule["body"].encode(), dict(rule["expect"])
    if expected.pop("reject", False):
        with pytest.raises(Problem) as refusal:
            _read(headers, body)
        assert 400 <= refusal.value.status_code < 500
        return
    if (ids := expected.pop("ids", None)) is not None:
        assert mode_of(headers["content-type"]) == "batched"
        assert [from_json(one).id for one in strict_loads(body)] == ids
        return
    event = _read(headers, body)
    if "data" in expected:
        expected.pop("data_present", None)
        assert event.value == expected.pop("data")
    assert {name: event.attributes.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"id": None}, "/id"),
        ({"id": ""}, "/id"),
        ({"id": 1}, "/id"),
        ({"id": "a\u0007b"}, "/id"),
        ({"source": "two words"}, "/source"),
        ({"specversion": "0.3"}, "/specversion"),
        ({"specversion": 1.0}, "/specversion"),
        ({"time": "yesterday"}, "/time"),
        ({"time": 5}, "/time"),
        ({"Extension": "x"}, ""),
        ({"my_ext": "x"}, ""),
        ({"ext": {"a": 1}}, "/ext"),
        ({"ext": 1.5}, "/ext"),
        ({"ext": 2**31}, "/ext"),
        ({"data_base64": "?"}, "/data_base64"),
        ({"data_base64": 1}, "/data_base64"),
        ({"data": 1, "data_base64": "MQ=="}, "/data_base64"),
    ],
)
def test_what_is_no_event(changed: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Problem) as refusal:
        from_json(EVENT | changed)
    assert refusal.value.status_code == 422
    assert [error["pointer"] for error in refusal.value.errors or ()] == [pointer]


def test_extensions_are_let_in_and_data_come_in_both_forms() -> None:
    event = from_json(EVENT | {"traceparent": "00-1", "sampledrate": 5, "hot": True, "data_base64": "eyJhIjoxfQ=="})
    assert event.json() == {"a": 1}
    assert event.attributes["sampledrate"] == 5
    assert from_json(EVENT | {"data": {"a": 1}, "datacontenttype": "text/JSON; charset=UTF-8"}).json() == {"a": 1}
    for refused in ({"data": "<a/>", "datacontenttype": "text/xml"}, {"data_base64": "PGEvPg=="}, {}):
        with pytest.raises(Problem) as refusal:
            from_json(EVENT | refused).json()
        assert refusal.value.status_code == 422


@pytest.mark.parametrize("value", [b"caf\xc3\xa9", b"%", b"%4", b"%zz", b"%FF", b"%ED%A0%80"])
def test_a_header_that_is_not_percent_encoded_is_refused(value: bytes) -> None:
    given = [(f"ce-{name}".encode(), one.encode()) for name, one in EVENT.items()]
    with pytest.raises(Problem) as refusal:
        from_binary([*given, (b"ce-subject", value)], b"{}")
    assert (refusal.value.status_code, "ce-subject" in str(refusal.value.detail)) == (400, True)


@pytest.mark.parametrize(
    "more",
    [(b"ce-id", b"2"), (b"ce-datacontenttype", b"application/json"), (b"ce-data", b"x"), (b"ce-my_ext", b"x"),
     (b"ce-subject", b"%00"), (b"ce-subject", b"")],
)  # fmt: skip
def test_headers_that_make_no_event(more: tuple[bytes, bytes]) -> None:
    given = [(f"ce-{name}".encode(), one.encode()) for name, one in EVENT.items()]
    with pytest.raises(Problem):
        from_binary([*given, more], b"{}")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip).filter(bool))
@settings(max_examples=200)
def test_what_the_sdk_writes_into_headers_is_read(text: str) -> None:
    from cloudevents.core.bindings.http import to_binary
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent as Theirs

    if re.search("[\ufdd0-\ufdef\ufffe\uffff]", text):
        return
    message = to_binary(Theirs({**EVENT, "subject": text}, {"a": 1}), JSONFormat())
    event = _read(message.headers, message.body)
    assert (event.attributes["subject"], event.json()) == (text, {"a": 1})


@given(
    st.dictionaries(st.sampled_from([b"ce-id", b"ce-type", b"ce-source", b"ce-specversion", b"ce-x", b"content-type"]),
                    st.binary(max_size=12) | st.sampled_from([b"1.0", b"application/cloudevents+json"])),
    st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b'{"id": 1}']),
)  # fmt: skip
def test_whatever_comes_is_an_event_or_refused(headers: dict[bytes, bytes], body: bytes) -> None:
    try:
        mode_of(headers.get(b"content-type", b"").decode("latin-1"))
        from_binary(list(headers.items()), body).json()
    except Problem as problem:
        assert 400 <= problem.status_code < 500


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b"[" * 100_000, b'{"specversion": "1.0", "data_base64": "?"}'])
def test_a_record_in_structured_mode_that_is_none_is_malformed(value: bytes) -> None:
    with pytest.raises(MalformedError):
        Envelope.from_kafka(b"c-1", value, [("content-type", b"application/cloudevents+json")])
