"""What is heard in a text, with the ears that the policy in force gives."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, Protocol

from services.intake.signals import Caller, CauseWords, Earlier, Hearing, Signals
from services.intake.signals.hearing import language_of
from services.intake.signals.rules import LANGUAGES, RuleError, read, rule_set
from shared.policy import Policies, Policy, Rule

#: of an earlier contact only so much is compared
MOST_COMPARED = 2_000
#: how many earlier contacts of a customer are compared
MOST_EARLIER = 5
#: an agent's correction: the cause, the text that is of it, the customer's locale
Example = tuple[str, str, str | None]
#: seconds that others wait at most for one long text more
_BREATH = 0.001


class Doubts(Protocol):
    """Whether what was heard in a new contact is worth a second opinion. Asked for every contact: no I/O."""

    def __call__(self, new: Any, signals: Signals, now: datetime) -> bool: ...


class Breath:
    """Gives others their turn while many texts are heard: a long one takes as long as hundreds of short ones."""

    def __init__(self) -> None:
        self._since = perf_counter()

    async def taken(self) -> None:
        """Waits for the others if it is time."""
        if perf_counter() - self._since > _BREATH:
            await asyncio.sleep(0)
            self._since = perf_counter()


class Ears:
    """One Hearing per version of the policy, built when it is first needed."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        #: whether somebody else is to be asked about a contact; None: nobody is there to be asked
        self.doubts: Doubts | None = None
        self._version = ""
        self._hearing: Hearing | None = None
        self._examples: tuple[Example, ...] = ()
        self._products: dict[str, str | None] = {}

    @property
    def repeat_within(self) -> timedelta:
        """How long ago the same trouble counts as the same."""
        return self.policies.current.repeat_within.delta

    @property
    def hearing(self) -> Hearing:
        """The hearing of the policy in force."""
        policy = self.policies.current
        if self._hearing is None or self._version != policy.version:
            self._hearing = _hearing_of(policy, self._examples)
            self._version = policy.version
            self._products = {cause.code: cause.product for cause in policy.causes}
        return self._hearing

    def learn(self, examples: Sequence[Example]) -> None:
        """Hears by these examples from now on; takes a second, and may run beside those who hear."""
        policy, kept = self.policies.current, tuple(examples)
        hearing = _hearing_of(policy, kept)
        self._examples, self._hearing, self._version = kept, hearing, policy.version
        self._products = {cause.code: cause.product for cause in policy.causes}

    def hear(
        self, text: str, subject: str, locale: str | None, caller: Caller, earlier: Sequence[Earlier] = ()
    ) -> Signals:
        """What a text signals; what the caller says is believed."""
        return self.hearing.hear(text, subject=subject, locale=locale, caller=caller, earlier=earlier)

    def product_of(self, cause: str | None) -> str | None:
        """The product that a cause is about, where the policy says so."""
        return self._products.get(cause) if cause is not None else None


def _hearing_of(policy: Policy, examples: Sequence[Example] = ()) -> Hearing:
    learned: dict[str, dict[str, list[str]]] = {}
    for cause, text, locale in examples:
        if (language := language_of(text, locale)) is not None:
            learned.setdefault(cause, {}).setdefault(language, []).append(text)
    return Hearing(
        causes=[
            CauseWords(
                one.code,
                one.product,
                one.need,
                _texts(one.words),
                _together(_texts(one.examples), learned.get(one.code, {})),
            )
            for one in policy.causes
        ],
        company_names=policy.company_names,
        rival_names=policy.rival_names,
        switched_off=policy.hearing.switched_off,
        added=[_as_in_file(one) for one in policy.hearing.added],
    )


def _together(given: Mapping[str, Sequence[str]], learned: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {one: (*given.get(one, ()), *learned.get(one, ())) for one in LANGUAGES}


def _texts(given: Mapping[Any, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {str(language): texts for language, texts in given.items()}


def _as_in_file(rule: Rule) -> dict[str, Any]:
    given = rule.model_dump()
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value not in (None, ())
    }


def rule_mistakes(policy: Policy) -> list[tuple[str, str]]:
    """What the policy says of cues and guards that cannot be done: (name, what is wrong with it)."""
    shipped = {
        str(one["name"])
        for matter in ("departure", "repeat")
        for language in LANGUAGES
        for part in ("cues", "guards")
        for one in read(f"{matter}.{language}.yaml").get(part, ())
    }
    found = [(name, "no rule is called that") for name in policy.hearing.switched_off if name not in shipped]
    for one in policy.hearing.added:
        try:
            rule_set(one.matter, one.language, off=policy.hearing.switched_off, added=[_as_in_file(one)])
        except RuleError as error:
            found.append((one.name, str(error).split(": ", 2)[-1] if one.name not in shipped else "the name is taken"))
    return found
