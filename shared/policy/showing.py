"""A policy as plain data, with everything that holds where its file says nothing: for `complaint-loop policy show`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from shared.calendars import WEEKDAYS, Duration
from shared.calendars.week import Week, write_span
from shared.policy.form import Region
from shared.policy.policy import Policy


def show(policy: Policy) -> dict[str, Any]:
    """What holds under `policy`, by the names of the file and ready for JSON, beside its version, digest and doubts."""
    file = policy.file
    shown = {name: _plain(getattr(file, name)) for name in type(file).model_fields}
    shown["version"] = policy.version
    shown["regions"] = {name: _region(one) for name, one in ({"default": Region()} | file.regions).items()}
    shown["executives"] = [_plain(one) | {"quiet_hours": _hours(one.quiet_hours)} for one in file.executives]
    shown["escalation"] = _plain(policy.escalation)
    shown["follow_up"] = _plain(policy.follow_up)
    shown["digest"] = policy.digest
    shown["doubts"] = [{"line": line, "message": message} for line, message in policy.doubts]
    return shown


def _region(region: Region) -> dict[str, Any]:
    return {"time_zone": region.time_zone, "hours": _hours(region.hours), "holidays": _plain(region.holidays)}


def _hours(week: Week) -> dict[str, list[str]]:
    return {WEEKDAYS[day]: [write_span(span) for span in spans] for day, spans in enumerate(week) if spans}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        return {field.alias or name: _plain(getattr(value, name)) for name, field in fields}
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Duration) else value
