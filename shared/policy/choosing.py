"""Which entry of `clocks` applies and why the ones before it do not: for `explain`, which has to say so to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.policy.policy import Facts, Policy, Term


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An entry of the same kind that stands before the one that applies; `entry` counts from 0."""

    entry: int
    within: str
    hours: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for one kind of clock: None where no entry fits."""

    kind: str
    term: Term | None
    because: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]

    def words(self, version: str, frozen: str = "") -> str:
        """The choice as a sentence."""
        before = "".join(f" Entry {one.entry + 1} does not fit: {', '.join(one.because)}." for one in self.passed_over)
        if self.term is None:
            none = "no entry fits" if self.passed_over else "there is no entry"
            return f"Policy {version}{frozen}: {none} for {self.kind}.{before}"
        if self.term.entry < 0:
            return f"Policy {version}{frozen}: no entry for {self.kind}, so it is {self.term.within.words}.{before}"
        fits = f"because {', '.join(self.because)}" if self.because else "which fits every complaint"
        return f"Policy {version}{frozen}: entry {self.term.entry + 1} of its clocks, {fits}.{before}"


def chosen(policy: Policy, facts: Facts, kind: str) -> Choice:
    """The entry for a kind of clock with its reasons, and those that it was preferred to."""
    term = policy.term(kind, facts)
    last = len(policy.clocks) if term is None or term.entry < 0 else term.entry
    passed = []
    for entry, (when, clock) in enumerate(policy.clocks):
        if clock.kind != kind or entry >= last:
            continue
        because = tuple(_misfit(name, codes, facts) for name, codes in when.items() if _given(facts, name) not in codes)
        passed.append(PassedOver(entry, str(clock.within), clock.hours, because))
    fits = () if term is None else tuple(f"{name} is {_given(facts, name)}" for name in term.when)
    return Choice(kind, term, fits, tuple(passed))


def _given(facts: Facts, name: str) -> str | None:
    found: str | None = getattr(facts, name)
    return found


def _misfit(name: str, codes: Sequence[str], facts: Facts) -> str:
    return f"{name} is {_given(facts, name) or 'not known'}, not {' or '.join(codes)}"
