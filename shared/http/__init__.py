"""HTTP for every service: strict parsing, problem+json, pages of lists, health, and the factory of the application."""

from shared.http.app import as_served, create_app
from shared.http.edge import request_id, too_large, unavailable
from shared.http.page import Page, Paged, decode_cursor, encode_cursor
from shared.http.problem import Answer, Problem, checked, described, invalid, refused, to_json, unreadable
from shared.http.route import RawRoute, StrictRequest, StrictRoute, media_type, read_form, read_json, require_json
from shared.http.strict import strict_loads, strict_ndjson

__all__ = [
    "Answer",
    "Page",
    "Paged",
    "Problem",
    "RawRoute",
    "StrictRequest",
    "StrictRoute",
    "as_served",
    "checked",
    "create_app",
    "decode_cursor",
    "described",
    "encode_cursor",
    "invalid",
    "media_type",
    "read_form",
    "read_json",
    "refused",
    "request_id",
    "require_json",
    "strict_loads",
    "strict_ndjson",
    "to_json",
    "too_large",
    "unavailable",
    "unreadable",
]
