"""The story: four customers, two of whom would have been lost."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from deploy.local.trouble import Trouble
from services.command.demo.instance import Instance
from services.command.demo.teller import Teller, code_in, link_in, say, scene, until
from services.command.demo.words import CANNED, answers

_PROMISE = "Your line will not drop in the evening again."


def play(instance: Instance, *, fast: bool) -> None:
    """Plays the whole loop. `fast`: the policy has seconds, so that a missed clock can be awaited."""
    began = time.monotonic()
    story = _Story(instance)
    scene("Four customers complain")
    calm, leaving, waiting = story.li_wei(), story.tom(), story.sara()
    story.maria()
    escalation = story.threat(leaving)
    scene("The executive answers")
    promise_id = story.executive_answers(leaving, escalation)
    scene("The owner answers; the customer has the last word")
    story.owner_answers(calm)
    scene("The promise is broken: the same trouble comes back, and nobody has to complain about it")
    story.breach(leaving, promise_id)
    scene("A clock is missed, and nobody answers for it")
    if fast:
        story.missed_clock(waiting)
    else:
        say("  Sara waits for a first response. This policy gives it hours, so it is not awaited here: `complaint-loop")
        say("  demo --own` plays it in seconds.")
    story.links(instance)
    say(f"\nPlayed in {time.monotonic() - began:.0f} s.")


class _Story:
    def __init__(self, instance: Instance) -> None:
        url = str(instance["http_url"])
        self._clients = {
            scope: httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=15)
            for scope, key in instance["keys"].items()
        }
        self._run = secrets.token_hex(3)
        self.tell = Teller(self._clients["supervisor"], instance.folder / "mail" if instance.get("mail_url") else None)
        self._links: list[str] = []

    def li_wei(self) -> dict[str, Any]:
        """A plain complaint: whoever takes it owns it."""
        say("  Li Wei (gold) phones; Chen Yu takes the call. Whoever takes the first contact owns the complaint.")
        text = "My router drops every evening at seven, I have told you before."
        return self._contact("Li Wei", "gold", "phone", text, responder={"id": "chen-yu", "name": "Chen Yu"})

    def maria(self) -> None:
        """Nobody has taken it yet: two want to."""
        say("  Maria Lopez (standard) writes a mail that nobody has taken yet; two agents reach for it at once.")
        told = self._contact(
            "Maria Lopez", "standard", "email", "You charged me twice on this invoice.", "billing-error"
        )
        for agent in ("amir", "berta"):
            answer = self._clients["agent"].post(f"/v1/complaints/{told['id']}/claim", json={"agent_id": agent})
            if answer.status_code < 300:
                say(f"  {agent.title()} claims it and owns it from now on.")
            else:
                say(f"  {agent.title()} claims it too and is told: {answer.json().get('detail', answer.status_code)}")

    def tom(self) -> dict[str, Any]:
        """A threat to leave."""
        text = "My router drops again. If this is not fixed by Friday I will cancel and move to another provider."
        say(f"  Tom Becker (gold) writes in the chat to Mia: “{text}”")
        return self._contact("Tom Becker", "gold", "chat", text, responder={"id": "mia", "name": "Mia"})

    def sara(self) -> dict[str, Any]:
        """Somebody who will wait in vain."""
        say("  Sara Khan (silver) writes a mail; Kim has it on the desk, and does not answer.")
        text = "My router drops since Monday. Is anybody there?"
        return self._contact("Sara Khan", "silver", "email", text, responder={"id": "kim", "name": "Kim"})

    def threat(self, customer: dict[str, Any]) -> dict[str, Any]:
        """The threat reaches an executive by mail, in the customer's own words."""
        told = until(lambda: self.tell.happened("escalation.raised", customer["customer_id"]), "the escalation")
        escalation = self._get("supervisor", f"/v1/escalations/{told['escalation_id']}")
        who = escalation["addressee"]
        say(f"  Who was told: {who.get('name') or who['id']}, level {escalation['level']}, because of: "
            f"{', '.join(escalation['reasons'])}. Only their own words, delivered to Tom, end it.")  # fmt: skip
        if self.tell.catches_mail:
            mail = until(lambda: self.tell.mail(holding="another provider"), "the mail to the executive", 70)
            say("  The mail carries Tom's own words, the history, and a link with a code.")
            if link_in(mail):
                self._links.append(f"the executive's page  {link_in(mail)}  (code {code_in(mail)})")
        return escalation

    def executive_answers(self, customer: dict[str, Any], escalation: dict[str, Any]) -> str:
        """Phrases are refused, a threat needs the stay question, and the words reach the customer."""
        path, executive = f"/v1/escalations/{escalation['id']}/answer", escalation["addressee"]["id"]
        check = self._post("executive", f"{path}/check", {"executive_id": executive, "text": CANNED})
        say(f"  “{CANNED}”")
        say(f"  … is refused: likeness {check['likeness']:.2f}, because {'; '.join(map(str, check['because']))}.")
        text = self._own_words(path, executive)
        body: dict[str, Any] = {"executive_id": executive, "text": text, "apology": True}
        refused = self._clients["executive"].post(path, json=body)
        if refused.status_code >= 400:
            say(f"  Own words, but not asked what would make him stay: {refused.json().get('detail', 'refused')}")
        body["stay_question"] = {
            "asked": True,
            "what_would_make_you_stay": "A line that holds, one person to call.",
        }
        due = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        body["promise"] = {
            "text": _PROMISE,
            "cause": "router-drops",
            "scope": "customer",
            "actions": [{"what": "Replace the splitter in the street", "owner": "field-ops", "due_at": due}],
        }
        self._post("executive", path, body)
        say(f"  “{text}”")
        say(f"  With it a promise that is watched from now on: “{_PROMISE}”")
        until(
            lambda: self.tell.happened("escalation.ended", customer["customer_id"]), "the delivery to the customer", 70
        )
        say("  Delivered to Tom, and that ended the escalation; his complaint stays Mia's until he says it is solved.")
        self._keep_page(customer)
        promises = self._get("supervisor", "/v1/promises", customer_id=customer["customer_id"])["items"]
        return str(promises[0]["id"])

    def breach(self, customer: dict[str, Any], promise_id: str) -> None:
        """The watch sees it by itself."""
        say("  Tom phones and gets another agent: “It dropped again last night.”")
        self._contact(
            "Tom Becker", "gold", "phone", "It dropped again last night.", responder={"id": "noor", "name": "Noor"}
        )
        promise = until(
            lambda: (found := self._get("supervisor", f"/v1/promises/{promise_id}"))["status"] == "broken" and found,
            "the promise to break",
        )
        say(f"  {promise['reference']} is broken by that contact; {promise['made_by']} and the owner are written to.")

    def owner_answers(self, complaint: dict[str, Any]) -> None:
        """An answer, a no, another answer, a yes: same owner all along."""
        for text, solved, comment in (
            ("We have given your line another port.", False, "It dropped again while I was reading this."),
            (
                "The cable from the street is new; I watched the line for two evenings.",
                True,
                "Two good evenings. Thanks.",
            ),
        ):
            path = f"/v1/complaints/{complaint['id']}"
            answer = {"agent_id": "chen-yu", "text": text, "outcome": "upheld", "reasons": "A fault was found."}
            self._post("agent", f"{path}/answer", answer)
            say(f"  Chen Yu answers Li Wei: “{text}”")
            now = self._post("agent", f"{path}/confirmation", {"solved": solved, "comment": comment})
            owner = now["owner"]["name"] or now["owner"]["id"]
            say(f"  Li Wei: “{comment}” -> {now['status']}, cycle {now['cycle']}, owner {owner}.")
            self._keep_page(complaint)

    def missed_clock(self, complaint: dict[str, Any]) -> None:
        """The breach escalates by itself, and climbs where nobody answers."""
        customer_id = complaint["customer_id"]
        until(lambda: self.tell.happened("complaint.clock_breached", customer_id), "the missed clock")
        raised = until(lambda: self.tell.happened("escalation.raised", customer_id), "its escalation")
        until(lambda: self.tell.happened("escalation.climbed", customer_id), "the next level")
        found = self._get("supervisor", f"/v1/escalations/{raised['escalation_id']}")
        steps = " -> ".join(str(step["executive_id"]) for step in found["steps"])
        say(f"  Sara's first response was promised in seconds and did not come. Told so far: {steps}; at the top it")
        say("  repeats until somebody answers. Opening the mail or clicking its link stops nothing.")

    def links(self, instance: Instance) -> None:
        """What to open."""
        scene("To open")
        say(f"  supervisors' page     {instance['sign_in_url']}")
        if instance.get("mail_url"):
            say(f"  all mails             {instance['mail_url']}")
        for link in self._links:
            say(f"  {link}")
        say(f"  the API               {instance['http_url']}/openapi.json")

    def _contact(
        self, name: str, tier: str, channel: str, text: str, cause: str = "router-drops", **more: Any
    ) -> dict[str, Any]:
        """Posts a contact; answers the customer's complaint once it is there."""
        short = name.split()[0].lower()
        customer_id = f"demo-{self._run}-{short}"
        new = customer_id not in self.tell.customers
        self.tell.customers[customer_id] = name
        customer = {"id": customer_id, "name": name, "email": f"{short}.{self._run}@customer.example", "tier": tier}
        body = {
            "source": "demo",
            "source_event_id": f"{self._run}-{secrets.token_hex(4)}",
            "occurred_at": datetime.now(UTC).isoformat(),
            "channel": channel,
            "customer": customer | {"locale": "en"},
            "text": text,
            "cause": cause,
            "complaint": True,
            **more,
        }
        heard = self._post("intake", "/v1/contacts", body)["signals"]["departure_threat"]
        if heard["value"]:
            start, end = heard["quote"] or (0, 0)
            say(f"  Heard at once: a threat to leave, {heard.get('tier')}: “{text[start:end]}”")
        items = until(
            lambda: self._get("agent", "/v1/complaints", customer_id=customer_id)["items"], f"{name}'s complaint"
        )
        found: dict[str, Any] = items[0]
        if new:
            owner = found["owner"]
            taker = more.get("responder") or {}
            who = (owner["name"] or taker.get("name") or owner["id"]) if owner else "nobody yet, and that has a clock"
            say(f"  {name}'s complaint is {found['reference']}; its owner is {who}.")
        return found

    def _own_words(self, path: str, executive: str) -> str:
        for text in answers("Tom"):
            if self._post("executive", f"{path}/check", {"executive_id": executive, "text": text})["acceptable"]:
                return text
        raise Trouble("The demo was played so often here that its executive has no words left: use a fresh LOCAL_DIR.")

    def _keep_page(self, complaint: dict[str, Any]) -> None:
        """The link of the customer's own page, out of the mail that carries the answer."""
        short = complaint["customer_id"].rpartition("-")[2]
        address = f"{short}.{self._run}@customer.example"
        if self.tell.catches_mail:
            mail = until(lambda: self.tell.mail(to=address), f"the mail to {short.title()}", 70)
            line = f"{short.title()}'s own page".ljust(22)
            if link_in(mail) and not any(one.startswith(line) for one in self._links):
                self._links.append(f"{line}{link_in(mail)}")

    def _get(self, scope: str, path: str, **params: Any) -> dict[str, Any]:
        return _read(self._clients[scope].get(path, params=params), f"GET {path}")

    def _post(self, scope: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _read(self._clients[scope].post(path, json=body), f"POST {path}")


def _read(answer: httpx.Response, what: str) -> dict[str, Any]:
    if answer.status_code >= 400:
        raise Trouble(f"{what} was refused ({answer.status_code}): {answer.text[:300]}")
    found: dict[str, Any] = answer.json()
    return found
