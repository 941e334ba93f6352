"""Whole conversations, repeated and in any order: every message once, in the tool's order, whoever answered first."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.service import hooks_conversations, hooks_desks
from tests.service.hooks_conversations import Sent, Turn, Who
from tests.service.hooks_world import Tools, tools_at

WRITERS = {**hooks_conversations.WRITERS, **hooks_desks.WRITERS}
OTHERS: tuple[Who, ...] = ("customer", "ana", "ben", "note", "bot")


@pytest.fixture
async def tools(database_url: str) -> AsyncIterator[Tools]:
    async with tools_at(database_url) as made:
        for tool in WRITERS:
            await made.add(tool)
        yield made


def conversations(chance: random.Random, each: int) -> list[tuple[str, str, list[Turn]]]:
    """(tool, conversation, script) for every tool; the customer speaks first."""
    found = []
    for tool in WRITERS:
        for number in range(each):
            minutes = sorted(chance.sample(range(60), chance.randint(1, 7)))
            whose: list[Who] = ["customer", *(chance.choice(OTHERS) for _ in minutes[1:])]
            script = [Turn(at, who, f"{who} at {at}") for at, who in zip(minutes, whose, strict=True)]
            found.append((tool, f"{number}00{len(found)}", script))
    return found


def shuffled(told: list[tuple[str, str, list[Turn]]], chance: random.Random) -> list[Sent]:
    """Every delivery of every conversation, once to three times, in any order."""
    all_of_it = [one for tool, name, script in told for one in WRITERS[tool](name, script)]
    some = [one for one in all_of_it for _ in range(chance.randint(1, 3))]
    chance.shuffle(some)
    return some


async def deliver(tools: Tools, some: list[Sent]) -> None:
    for one in some:
        answer = await tools.deliver(one.tool, one.body, headers=one.headers)
        assert answer.is_success, answer.text


def texts(responses: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in responses]


@pytest.mark.parametrize("seed", range(2))
async def test_any_order_gives_the_same_conversations(tools: Tools, seed: int) -> None:
    chance = random.Random(seed)
    told = conversations(chance, 5)
    await deliver(tools, shuffled(told, chance))
    await tools.settle()
    for tool, name, script in told:
        found = await tools.contacts(source=tool, conversation_id=name)
        assert [one["text"] for one in found] == [turn.text for turn in script if turn.who == "customer"]
        answers = sorted((a for one in found for a in one["responses"]), key=lambda one: str(one["occurred_at"]))
        spoken = [turn for turn in script if turn.staff]
        assert texts(answers) == [turn.text for turn in spoken]
        if spoken:
            assert found[0]["responder"]["id"].endswith(spoken[0].who)
            assert [one["first"] for one in answers] == [True] + [False] * (len(answers) - 1)
        else:
            assert all("responder" not in one for one in found)
    assert await tools.parked() == []
    assert await tools.world.findings() == []


async def test_what_comes_late_changes_nothing_that_was_said(tools: Tools) -> None:
    """Parts of a conversation arrive long after each other: nothing twice, and one person has the conversation."""
    chance = random.Random(3)
    told = conversations(chance, 3)
    some = shuffled(told, chance)
    for start in range(0, len(some), 25):
        await deliver(tools, some[start : start + 25])
        await tools.settle()
    for tool, name, script in told:
        found = await tools.contacts(source=tool, conversation_id=name)
        assert [one["text"] for one in found] == [turn.text for turn in script if turn.who == "customer"]
        answers = [answer for one in found for answer in texts(one["responses"])]
        spoken = [turn for turn in script if turn.staff]
        assert len(set(answers)) == len(answers) and set(answers) <= {turn.text for turn in spoken}
        responders = {one["responder"]["id"].removeprefix("name-") for one in found if "responder" in one}
        assert bool(responders) == bool(spoken) and len(responders) <= 1
    assert await tools.parked() == []
    assert await tools.world.findings() == []
