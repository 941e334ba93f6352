"""One example of each event's data, made from its schema: the documents show what a reader will see on a topic."""

from __future__ import annotations

from typing import Any, Final

from shared.contracts.envelope import Event
from shared.contracts.schemas_of import schema_of

_AT: Final = "2026-03-02T09:00:00Z"
_ID: Final = "01a2117d-c6a2-76c9-8940-e7cea9f72bcd"
_SAID: Final = {
    "customer_id": "c-1042",
    "owner_id": "agent-7",
    "responder_id": "agent-7",
    "agent_id": "agent-7",
    "executive_id": "vp",
    "source": "phone",
    "source_event_id": "call-1",
    "cause": "router-drops",
    "product": "fibre-1g",
    "tier": "gold",
    "region": "default",
    "locale": "en",
    "policy_version": "2026-11-25",
    "signals_version": "1",
    "amount": "300.00",
    "currency": "USD",
    "kind": "first_response",
}


def example_of(event: type[Event]) -> dict[str, Any]:
    """An example that fits the schema of `event`."""
    schema = schema_of(event)
    made: dict[str, Any] = _made("", schema, schema.get("$defs", {}))
    return made


def _made(name: str, schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _made(name, parts[schema["$ref"].rpartition("/")[2]], parts)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _made(name, next((one for one in schema[several] if one.get("type") != "null"), {}), parts)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {key: _made(key, value, parts) for key, value in schema.get("properties", {}).items()}
    if kind == "array":
        items = schema.get("prefixItems") or [schema.get("items", {})]
        return [_made(name.removesuffix("s"), one, parts) for one in items]
    return {"integer": 1, "number": 0.9, "boolean": True}.get(str(kind)) or _text(name, schema)


def _text(name: str, schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return _AT
    if name in _SAID:
        return _SAID[name]
    if "reference" in name:
        return "P-3K9TT" if "promise" in name else "C-7F3K9"
    return _ID if name.endswith(("_id", "of")) else name.replace("_", "-") or "text"
