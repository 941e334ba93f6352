"""How a row of somebody's own columns becomes a contact; the language is described in deploy/imports/load.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from deploy.local.trouble import Trouble
from services.command.import_contacts.rows import put

_KNOWN = Path(__file__).resolve().parents[3] / "deploy" / "imports"
_WORDS = frozenset({"value", "from", "values", "otherwise", "seconds"})


class RowError(ValueError):
    """This row does not give what the mapping needs; the message names the column, never its value."""


@dataclass(frozen=True)
class Mapping:
    """The fields of a contact and where each comes from."""

    fields: dict[str, dict[str, Any]]
    rest: str | None
    start: datetime | None

    def contact(self, row: dict[str, Any]) -> dict[str, Any]:
        """The contact that a row stands for. Raises RowError."""
        made: dict[str, Any] = {}
        unchanged: set[str] = set()
        for path, rule in self.fields.items():
            value = self._value(rule, row)
            if value is None:
                continue
            put(made, path, value)
            if rule.get("from") in row and row[rule["from"]] == value:
                unchanged.add(rule["from"])
        left = {name: value for name, value in row.items() if name not in unchanged and value is not None}
        if self.rest and left:
            inside = made.setdefault(self.rest, {})
            inside |= {name: value if isinstance(value, str) else _as_text(value) for name, value in left.items()}
        return made

    def _value(self, rule: dict[str, Any], row: dict[str, Any]) -> Any:
        if "value" in rule:
            return rule["value"]
        if "seconds" in rule:
            return self._instant(rule["seconds"], row.get(rule["seconds"]))
        value = row.get(rule["from"])
        if "values" in rule and value is not None:
            known = isinstance(value, str | int) and value in rule["values"]
            return rule["values"][value] if known else rule.get("otherwise")
        return value if value is not None else rule.get("otherwise")

    def _instant(self, column: str, seconds: Any) -> str:
        assert self.start is not None
        try:
            return (self.start + timedelta(seconds=float(seconds))).isoformat().replace("+00:00", "Z")
        except (TypeError, ValueError, OverflowError):
            raise RowError(f"{column} is not a number of seconds") from None


def _as_text(value: Any) -> str:
    import orjson

    return orjson.dumps(value).decode()


def read_mapping(name: str, source: str | None, start: datetime | None) -> Mapping:
    """The mapping of that name in deploy/imports, or in that file. Raises Trouble, saying what is wrong with it."""
    path = Path(name)
    if not path.is_file():
        path = _KNOWN / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in _KNOWN.glob("*.yaml")))
        raise Trouble(f"There is no mapping {name}: name a file, or one of {known}.")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Trouble(f"{path} is not YAML: {str(error).splitlines()[0]}") from None
    fields = said.get("fields") if isinstance(said, dict) else None
    if not isinstance(fields, dict) or not fields:
        raise Trouble(f"{path} has no fields.")
    for field, rule in fields.items():
        if not isinstance(rule, dict) or not rule.keys() <= _WORDS or not rule.keys() & {"value", "from", "seconds"}:
            raise Trouble(f"{path}: {field} must be one of {{value}}, {{from, values?, otherwise?}}, {{seconds}}.")
    if source:
        fields = fields | {"source": {"value": source}}
    if start is None and any("seconds" in rule for rule in fields.values()):
        raise Trouble(f"{path} counts seconds from a start: give one, as in --start 2026-11-01T00:00:00Z")
    return Mapping(fields, said.get("rest"), start)


def instant(text: str) -> datetime:
    """An RFC 3339 time; UTC where it has no offset."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
