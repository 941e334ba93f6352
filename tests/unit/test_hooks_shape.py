"""What every tool's file answers, also the next one's."""

from __future__ import annotations

import re

import pytest

from services.intake.adapters import TOOLS
from services.intake.adapters.pieces.shape import GENUINE, Endpoint, Nothing, Refused, Request
from tests.hooked import NOW, URL

SECRET = "c2VjcmV0LW9mLXRoZS10b29s"


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_its_probe_is_genuine_means_nothing_and_can_be_told_from_others(tool: str) -> None:
    adapter, endpoint = TOOLS[tool], Endpoint(tool, "main", SECRET, f"{URL}/{tool}/main")
    made = dict(adapter.sign(adapter.probe, endpoint, NOW))
    query = made.pop("?", "")
    headers = {"content-type": adapter.probe_type, **{name.lower(): value for name, value in made.items()}}
    request = Request("POST", (f"{URL}/{tool}/main",), query, headers, adapter.probe, NOW)
    assert adapter.verify(request, endpoint, NOW) == GENUINE
    other = Endpoint(tool, "main", "b3RoZXI=", endpoint.url)
    assert isinstance(adapter.verify(request, other, NOW), Refused)
    bare = Request("POST", request.urls, "", {"content-type": adapter.probe_type}, adapter.probe, NOW)
    assert isinstance(adapter.verify(bare, endpoint, NOW), Refused)
    assert adapter.identity(request) == adapter.identity(request) != ""
    assert all(isinstance(one, Nothing) for one in adapter.read(request, endpoint))


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_what_is_to_be_pasted_names_the_address_and_the_secret(tool: str) -> None:
    adapter = TOOLS[tool]
    assert adapter.tool == tool and re.fullmatch(r"[a-z-]+", tool)
    told = adapter.paste.format(url="https://care.example.com/x", secret="s3cret")
    assert "https://care.example.com/x" in told and "{url}" not in told
    assert "s3cret" in told or "ecret" in told or "key" in told
    assert all(meaning and meaning == meaning.strip() for meaning in adapter.options.values())
    if adapter.complete is not None and not adapter.asks_without_token and not adapter.api_url:
        assert "api_url" in adapter.options or "api_url" in told
