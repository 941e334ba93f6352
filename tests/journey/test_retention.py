"""Words are kept as long as the policy says (`retention: {texts}`), then found nowhere; what is open is left alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.given import MIA
from tests.journey.test_erasure import CANARY, places, post, spoken_everywhere
from tests.world import World

_YEAR = timedelta(days=365)


async def retained(world: World) -> int:
    """What the loops do, two replicas of each at once."""
    loops = [world.loops[f"{name}.retention"] for name in ("intake", "ownership", "escalation")]
    return sum(await asyncio.gather(*(loop._run_once() for loop in (*loops, *loops))))


async def finished(world: World, customer: str) -> None:
    """Whatever is open of a customer's is answered and solved."""
    for one in (await world.get("/v1/escalations", customer_id=customer))["items"]:
        if one["status"] == "waiting":
            stay = {"asked": True, "what_would_make_you_stay": f"{CANARY} wants it to hold"}
            own = f"I rang {CANARY} again at nine this evening, and the splitter is replaced: {one['id'][:8]}."
            body = {"executive_id": one["addressee"]["id"], "text": own, "apology": True, "stay_question": stay}
            await post(world, "executive", f"/v1/escalations/{one['id']}/answer", **body)
    for one in (await world.get("/v1/complaints", customer_id=customer))["items"]:
        path = f"/v1/complaints/{one['id']}"
        if one["status"] == "open":
            await post(
                world, "agent", f"{path}/answer", agent_id="mia", text=f"It holds, {CANARY}.", outcome="upheld",
                reasons="a new splitter",
            )  # fmt: skip
        if one["status"] != "closed":
            await post(world, "agent", f"{path}/confirmation", solved=True)


async def test_what_is_over_for_long_enough_has_no_words_left(world: World) -> None:
    await spoken_everywhere(world)
    (made,) = (await world.get("/v1/promises", customer_id="tom"))["items"]
    await finished(world, "tom")
    promise = f"/v1/promises/{made['id']}"
    await post(world, "agent", f"{promise}/actions/2/done", by="mia", evidence=f"{CANARY} saw it")
    await world.pass_time(timedelta(days=200), by=timedelta(days=20))
    before = {
        "ownership.events.note",
        "ownership.events.why",
        "escalation.events.note",
        "escalation.answers.text",
        "escalation.promises.text",
        "escalation.promises.words",
    }
    assert await retained(world) == 0
    assert before <= await places(world)

    # a complaint from before stays open, and a promise stands: their words are needed
    await world.contact("eva", "My invoice is wrong, says Eva.", complaint=True, cause="billing-error", responder=MIA)
    open_one = await world.complaint("eva")
    await post(world, "agent", f"/v1/complaints/{open_one['id']}/updates", agent_id="mia", text="We look into it, Eva.")
    late = {"what": "lay a new line", "owner": "mia", "due_at": (world.clock.now() + timedelta(days=9)).isoformat()}
    words = {"text": "Your line is laid anew, Eva.", "cause": "router-drops", "scope": "customer", "actions": [late]}
    standing = await world.post("executive", "/v1/promises", {"made_by": "vp", "customer_id": "eva", **words})
    # time passes as one jump: what is chased meanwhile is not this story's
    world.clock.advance((_YEAR * 2).total_seconds())
    await world.settle()
    fresh = await world.contact("zoe", "My router drops, says Zoe.", complaint=True, responder=MIA)
    told = await world.complaint("zoe")
    await post(world, "agent", f"/v1/complaints/{told['id']}/updates", agent_id="mia", text="A technician comes, Zoe.")

    assert await retained(world) > 5
    assert await retained(world) == 0
    left = await places(world) - {"intake.customers.name", "intake.customers.email", "intake.customers.phone"}
    assert left == set(), left
    # state, times, ids and chains are as before
    assert await world.findings() == []
    gone = (await world.get("/v1/complaints", customer_id="tom"))["items"]
    assert {one["status"] for one in gone} == {"closed"}
    timeline = await world.get(f"/v1/complaints/{gone[-1]['id']}/timeline", limit="200")
    assert len(timeline["items"]) > 10 and not any(one["why"] for one in timeline["items"])
    assert (await world.get(promise))["text"] is None
    # what is fresh, open or standing has its words
    assert (await world.get(f"/v1/contacts/{open_one['contacts'][0]}"))["text"] == "My invoice is wrong, says Eva."
    assert (await world.get(f"/v1/contacts/{fresh}"))["text"] == "My router drops, says Zoe."
    for one, words in ((told, "A technician comes, Zoe."), (open_one, "We look into it, Eva.")):
        items = (await world.get(f"/v1/complaints/{one['id']}/timeline", limit="200"))["items"]
        assert words in str(items)
    assert (await world.get(f"/v1/promises/{standing['id']}"))["text"] == "Your line is laid anew, Eva."
