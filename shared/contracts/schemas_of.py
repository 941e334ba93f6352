"""JSON Schemas (2020-12) of the data of all events, from their classes.

`python -m shared.contracts.schemas_of` writes them into `schemas/`; a test holds the two together, so that a change of
a contract is seen where it is reviewed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson

from shared.contracts.envelope import Event, full_type
from shared.contracts.registry import BY_TYPE

FOLDER: Final = Path(__file__).with_name("schemas")
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The schema of one event's data. Unknown fields are allowed: consumers ignore them, publishers may add them."""
    name = full_type(event)
    described = event.model_json_schema(mode="serialization")
    about = (event.__doc__ or "").strip()
    inherited = any(event.__doc__ == parent.__doc__ for parent in event.__mro__[1:])
    return {
        "$schema": DIALECT,
        "$id": f"urn:complaint-loop:schema:{name}",
        "title": name,
        **({"description": " ".join(about.split())} if about and not inherited else {}),
        **{key: value for key, value in described.items() if key not in ("title", "description")},
    }


def files() -> dict[str, bytes]:
    """All schemas by their file's name."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return {f"{name}.json": orjson.dumps(schema_of(event), option=option) for name, event in BY_TYPE.items()}


def main() -> None:
    """Writes the schemas, and removes those of events that are no more."""
    wanted = files()
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
