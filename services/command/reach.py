"""How commands reach the services over HTTP: where they are, and with which key."""

from __future__ import annotations

import os

from deploy.local.trouble import Trouble
from services.command.local import endpoints

KEY_VARIABLE = "COMPLAINT_LOOP_KEY"


def base_url(given: str | None) -> str:
    """`--url`, else the setting, else what `make run` has started."""
    found = given or os.environ.get("COMPLAINT_LOOP_PUBLIC_URL") or endpoints().get("http_url")
    if not found:
        raise Trouble("No services are known: start `make run`, set COMPLAINT_LOOP_PUBLIC_URL, or give --url.")
    if not str(found).startswith(("http://", "https://")):
        raise Trouble("The address of the services begins with http:// or https://, like http://127.0.0.1:8000.")
    return str(found).rstrip("/")


def key_of(scope: str) -> str:
    """COMPLAINT_LOOP_KEY, else the key that `make run` has made for that scope."""
    found = os.environ.get(KEY_VARIABLE) or endpoints().get("keys", {}).get(scope)
    if not found:
        raise Trouble(f"No key is known: set {KEY_VARIABLE} to one with scope {scope} (`complaint-loop keys create`).")
    return str(found)
