"""The policy as services ask it: who is promised what, and who is written to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendars import Duration
from shared.policy import Facts, Policy, load_policy, parse_policy, show

ROOT = Path(__file__).parents[2]
ONE = "executives: [{id: ceo, name: Ana Ruiz, email: ceo@example.com, role: chief_executive}]\n"
PEOPLE = """
executives:
  - {id: head, name: Hana Novak, email: head@example.com, role: head_of_care}
  - {id: vp, name: Victor Osei, email: vp@example.com, role: vice_president, delegates: head}
  - {id: ceo, name: Ana Ruiz, email: ceo@example.com, role: chief_executive, time_zone: Europe/Madrid, delegates: [vp]}
"""


@pytest.fixture(scope="module")
def example() -> Policy:
    return load_policy(ROOT / "deploy" / "policy.example.yaml")


def within(policy: Policy, **facts: str) -> dict[str, str]:
    return {term.kind: f"{term.within} {term.hours}" for term in policy.terms(Facts(**facts))}


def test_people_have_absences_and_quiet_hours_and_they_are_shown_as_written() -> None:
    line = ONE.replace(
        "}]", ", absences: [{from: 2026-12-24, until: 2027-01-02T12:00}], quiet_hours: ['22:00-07:00']}]"
    )
    policy = parse_policy(line)
    (shown,) = show(policy)["executives"]
    assert shown["absences"] == [{"from": "2026-12-24", "until": "2027-01-02T12:00:00"}]
    assert shown["quiet_hours"]["sun"] == ["00:00-07:00", "22:00-24:00"]
    assert "nobody stands in" in policy.doubts[0][1]
    orjson.dumps(show(policy))


# the example


def test_the_example_has_no_mistakes_and_no_doubts(example: Policy) -> None:
    assert example.doubts == []
    assert [one.id for one in example.executives] == ["head", "vp", "ceo"]
    assert all(one.email.endswith("@example.com") for one in example.executives)
    assert [cause.code for cause in example.causes][:2] == ["router-drops", "billing-error"]
    assert all({"en", "zh"} == set(cause.words) for cause in example.causes)
    assert example.escalation.value_at_stake_over is not None
    assert example.escalation.value_at_stake_over.amount == Decimal(100000)


def test_the_first_entry_of_each_kind_that_fits_applies(example: Policy) -> None:
    everybody = within(example, tier="standard", region="default")
    assert everybody == {
        "claim": "15m business",
        "acknowledgement": "1h business",
        "first_response": "4h business",
        "next_update": "1d business",
        "final_answer": "5d business",
        "succession": "1d business",
    }
    assert within(example, tier="gold", region="zhejiang") == everybody | {
        "first_response": "1h calendar",
        "final_answer": "3d business",
    }
    assert within(example, tier="silver", region="uk") == everybody | {"FCA DISP 1.6.2": "8w calendar"}
    [gold] = [term for term in example.terms(Facts(tier="gold")) if term.kind == "first_response"]
    assert (gold.entry, gold.warn_at, gold.when) == (2, (50, 75, 90), {"tier": ("gold",)})


def test_tiers_and_regions_that_are_not_known(example: Policy) -> None:
    assert [example.tier(given) for given in ("gold", "platinum", "", None)] == ["gold", *["standard"] * 3]
    assert [example.region(given) for given in ("uk", "nowhere", "", None)] == ["uk", *["default"] * 3]
    assert example.calendar("uk").time_zone == "Europe/London"
    assert example.calendar("nowhere") is example.calendar("default")


def test_a_region_named_by_a_rule_alone_keeps_the_default_hours() -> None:
    policy = parse_policy("clocks: [{kind: law, when: {region: uk}, within: 8w, hours: calendar}]\n" + ONE)
    assert policy.region("uk") == "uk" and within(policy, region="uk") == {"law": "8w calendar"}
    assert policy.calendar("uk") is policy.calendar("default")
    assert policy.doubts == [(1, "clocks[0].when.region: uk has no hours of its own: those of default apply")]


# what holds where nothing is said


def test_only_executives_must_be_given() -> None:
    policy = parse_policy(ONE)
    assert policy.version == "1" and policy.tiers == ("gold", "silver", "standard")
    assert len(within(policy)) == 5 and {term.warn_at for term in policy.terms(Facts())} == {(50, 75, 90)}
    assert policy.calendar("default").time_zone == "UTC"
    assert (policy.confirmation.remind_after, policy.confirmation.silent_after) == (
        (Duration(3, "d"), Duration(7, "d")),
        Duration(14, "d"),
    )
    assert (policy.reopen_within, policy.repeat_within, policy.accept_late) == (
        Duration(90, "d"),
        Duration(90, "d"),
        Duration(1, "d"),
    )
    assert (policy.escalation.mail_budget.per_minute, policy.escalation.mail_budget.per_hour) == (1, 10)
    assert [str(after) for after in policy.escalation.mail_retry_after] == ["1m", "5m", "15m", "30m"]
    assert (str(policy.promises.watch_for), str(policy.promises.chase_before)) == ("180d", "3d")
    assert (str(policy.retention.closed), str(policy.retention.texts)) == ("6y", "2y")


def test_who_stands_in_and_what_is_too_much() -> None:
    policy = parse_policy(ONE)
    assert policy.deputies.choose == ("superior", "colleague") and str(policy.deputies.at_most) == "14d"
    assert policy.deputies.when == ("inactive", "absent", "off_shift")
    assert (str(policy.helpers.answer_within), policy.helpers.hours) == ("1d", "business")
    assert policy.workload.open_at_most == 40
    term = policy.term("succession", Facts())
    assert term is not None and (str(term.within), term.hours) == ("1d", "business")
    assert policy.term("claim", Facts()) and policy.term("FCA", Facts()) is None
    said = parse_policy("clocks: [{kind: succession, within: 2h}]\ndeputies: {choose: []}\n" + ONE)
    asked = said.term("succession", Facts())
    assert asked is not None and str(asked.within) == "2h" and said.deputies.choose == ()


def test_without_a_ladder_every_role_is_a_level_and_reasons_stay_on_it() -> None:
    policy = parse_policy(PEOPLE)
    assert [(rung.level, rung.role, str(rung.answer_within)) for rung in policy.escalation.ladder] == [
        (1, "head_of_care", "4h"),
        (2, "vice_president", "8h"),
        (3, "chief_executive", "1d"),
    ]
    assert policy.escalation.reasons["value_at_stake"] == 3
    assert set(parse_policy(ONE).escalation.reasons.values()) == {1}


def test_who_is_asked_at_a_level() -> None:
    policy = parse_policy(PEOPLE)
    assert [one and one.id for one in map(policy.at_level, range(5))] == [None, "head", "vp", "ceo", None]
    found = policy.executive("vp")
    assert found is not None and found.delegates == ("head",)
    assert policy.executive("nobody") is None


def test_a_level_that_nobody_holds_is_a_doubt() -> None:
    policy = parse_policy("escalation:\n  ladder:\n" + _rung(1, "chief_executive") + _rung(2, "founder") + ONE)
    assert policy.at_level(2) is None
    assert policy.doubts == [(4, "escalation.ladder[1].role: nobody has the role founder: the level is passed over")]


def test_what_the_ladder_says_is_no_clock() -> None:
    text = "clocks: [{kind: executive_answer, within: 4h}]\n"
    policy = parse_policy(text + "executives: [{id: ceo, name: Ana, email: ceo@example.com, role: chief}]\n")
    ((line, doubt),) = policy.doubts
    assert line == 1 and "escalation.ladder" in doubt


def _rung(level: int, role: str) -> str:
    return f"    - {{level: {level}, role: {role}, answer_within: 4h}}\n"


# versions and their content


def test_versions_are_texts_also_where_yaml_reads_dates_and_numbers() -> None:
    for written, read in (("2026-11-22", "2026-11-22"), ("7", "7"), ('"1.10"', "1.10"), ("v1", "v1")):
        assert parse_policy(f"version: {written}\n{ONE}").version == read


def test_a_digest_stands_for_the_content() -> None:
    first, again, other = parse_policy(ONE), parse_policy(ONE), parse_policy(ONE + "accept_late: 2d\n")
    assert first.digest == again.digest != other.digest
    renamed = other.renamed("1+abc")
    assert (renamed.version, renamed.digest, str(renamed.accept_late)) == ("1+abc", other.digest, "2d")


def test_a_file_of_holidays_becomes_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "ours.txt").write_text("2026-03-03 Founders' day\n+2026-03-07 worked\n", encoding="utf-8")
    (tmp_path / "p.yaml").write_text(f"regions: {{default: {{holidays: ./ours.txt}}}}\n{ONE}", encoding="utf-8")
    policy = load_policy(tmp_path / "p.yaml")
    (tmp_path / "ours.txt").unlink()
    for one in (policy, parse_policy(policy.text)):
        off = one.calendar("default").days_off.year(2026)
        assert list(off.off.values()) == ["Founders' day"] and len(off.make_up) == 1
    assert parse_policy(policy.text).digest == policy.digest


def test_what_is_shown_is_a_policy_that_says_the_same(example: Policy) -> None:
    for policy in (example, parse_policy(ONE)):
        shown = show(policy)
        assert orjson.loads(orjson.dumps(shown)) == shown
        assert shown.pop("digest") == policy.digest and shown.pop("doubts") == []
        again = parse_policy(orjson.dumps(shown).decode())
        assert again.file.model_copy(update={"regions": {}}) == policy.file.model_copy(
            update={"regions": {}, "escalation": policy.escalation, "follow_up": policy.follow_up}
        )
        assert all(
            again.calendar(name).week == policy.calendar(name).week
            and again.calendar(name).days_off == policy.calendar(name).days_off
            for name in shown["regions"]
        )


# the rule of matching, against the sentence that says it

CODES = {
    "tier": ["gold", "silver", "standard"],
    "region": ["default", "uk"],
    "product": ["p", "q"],
    "cause": ["c", "d"],
    "need": ["must_have", "attractor"],
    "channel": ["phone", "web"],
}
entries = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["claim", "final_answer", "law"]),
            "within": st.integers(1, 9).map(lambda n: f"{n}h"),
            "when": st.fixed_dictionaries(
                {},
                optional={
                    name: st.sampled_from(codes) | st.lists(st.sampled_from(codes), min_size=1, unique=True)
                    for name, codes in CODES.items()
                },
            ).filter(bool),
        }
    ),
    max_size=8,
)
facts = st.fixed_dictionaries({name: st.sampled_from(codes) | st.none() for name, codes in CODES.items()})


def fits(when: Mapping[str, str | list[str]], given: Mapping[str, str | None]) -> bool:
    return all(given[name] in ([codes] if isinstance(codes, str) else codes) for name, codes in when.items())


@given(entries, st.lists(facts, min_size=1, max_size=5))
def test_terms_are_the_first_fitting_entry_of_each_kind(listed: list[dict], asked: list[dict]) -> None:  # type: ignore[type-arg]
    data = {
        "causes": [{"code": "c"}, {"code": "d"}],
        "clocks": listed,
        "executives": [{"id": "ceo", "name": "Ana", "email": "ceo@example.com", "role": "chief"}],
    }
    policy = parse_policy(orjson.dumps(data).decode())
    for given_facts in asked:
        first: dict[str, int] = {}
        for n, entry in enumerate(listed):
            if fits(entry["when"], given_facts):
                first.setdefault(entry["kind"], n)
        terms = policy.terms(Facts(**given_facts))
        assert {term.kind: term.entry for term in terms} == first and len(terms) == len(first)
        assert policy.terms(Facts(**given_facts)) is terms


def test_it_answers_thousands_of_times_a_second(example: Policy) -> None:
    asked = [Facts(tier=tier, region=region) for tier in example.tiers for region in ("default", "uk", "zhejiang")]
    began = perf_counter()
    for _ in range(2_000):
        for one in asked:
            example.terms(one)
            example.calendar(one.region or "default")
    assert perf_counter() - began < 3  # 18,000 of each; a matching anew would take tens of times as long
    for n in range(25_000):  # products that nobody will ask for again do not fill the memory
        example.terms(Facts(product=f"p{n}"))
    assert len(example._terms) <= 10_000
