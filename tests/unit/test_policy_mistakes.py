"""Every mistake of a policy file is named with its line, all at once, and nothing in a file breaks the reader."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.policy import Policy, PolicyError, load_policy, parse_policy

ROOT = Path(__file__).parents[2]
ONE = "executives: [{id: ceo, name: Ana, email: ceo@example.com, role: chief}]\n"
RUNG = "{level: 1, role: chief, answer_within: 1h}"


def mistakes(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    return refused.value.mistakes


@pytest.mark.parametrize(
    ("line", "said"),
    [
        # names
        ("verison: x", "verison is not known here; did you mean version?"),
        ("colour: red", "colour is not known here; there are: version, regions,"),
        ("regions: {uk: {hollidays: GB}}", "regions.uk.hollidays is not known here; did you mean holidays?"),
        ("clocks: [{kind: a, within: 1h, when: {teir: gold}}]", "clocks[0].when.teir is not known here; did you mean"),
        ("clocks: [{kind: a, witin: 1h, within: 1h}]", "clocks[0].witin is not known here; did you mean within?"),
        ("escalation: {mail_budget: {per_min: 1}}", "did you mean per_minute?"),
        ("accept_late: 1d\naccept_late: 2d", "accept_late is given twice"),
        ("promises: {watch_for: 1d, watch_for: 2d}", "watch_for is given twice"),
        ("regions: {no: {}}", "a name that YAML does not take for text"),
        ("regions: {a: {holidays: {2026-12-25: x}}}", "a name that YAML does not take for text"),
        ("<<: {version: x}", "a name that YAML does not take for text"),
        # durations
        ("accept_late: soon", "accept_late is no duration: write a whole number and one of s m h d w"),
        ("accept_late: 5", "accept_late is no duration"),
        ("accept_late: 1.5h", "accept_late is no duration"),
        ("accept_late: 101y", "accept_late is longer than 100 years"),
        ("clocks: [{kind: a, within: 8w}]", "clocks[0].within cannot be counted in business hours by the week"),
        ("clocks: [{kind: a, within: 8w, hours: business}]", "cannot be counted in business hours by the week"),
        ("clocks: [{kind: a, within: 0h}]", "clocks[0].within must be longer than nothing"),
        (
            f"escalation: {{ladder: [{RUNG[:-1]}, repeat_every: 0s}}]}}",
            "escalation.ladder[0].repeat_every must be longer than nothing",
        ),
        ("escalation: {mail_retry_after: [0s]}", "mail_retry_after[0] must be longer than nothing"),
        ("clocks: [{kind: a}]", "clocks[0].within "),
        ("clocks: [{kind: a, within: 1h, hours: office}]", "clocks[0].hours must be 'business' or 'calendar'"),
        ("clocks: [{kind: a, within: 1h, warn_at: [90, 50]}]", "clocks[0].warn_at must be in ascending order"),
        ("clocks: [{kind: a, within: 1h, warn_at: [100]}]", "clocks[0].warn_at[0] must be at most 99"),
        # hours, zones, holidays
        ("regions: {a: {time_zone: Mars/Base}}", "regions.a.time_zone is no time zone"),
        ("regions: {a: {time_zone: ../../etc/passwd}}", "regions.a.time_zone is no time zone"),
        ("regions: {a: {time_zone: localtime}}", "regions.a.time_zone is no time zone"),
        ("regions: {a: {hours: {mon: ['9-18']}}}", "regions.a.hours.mon[0] is no span of hours"),
        ("regions: {a: {hours: {mon: ['18:00-09:00']}}}", "regions.a.hours.mon[0] closes before it opens"),
        ("regions: {a: {hours: {mon: ['09:00-25:00']}}}", "regions.a.hours.mon[0] is outside the day"),
        (
            "regions: {a: {hours: {mon: ['09:00-12:00', '11:00-13:00']}}}",
            "regions.a.hours.mon has hours of which 11:00-13:00 overlaps 09:00-12:00",
        ),
        ("regions: {a: {hours: {funday: ['09:00-12:00']}}}", "regions.a.hours.funday is no weekday"),
        (
            "regions: {a: {hours: {mon-fri: ['09:00-12:00'], wed: ['13:00-14:00']}}}",
            "regions.a.hours.wed gives wed again, which mon-fri gives already",
        ),
        ("regions: {a: {hours: {mon: 09:00-12:00}}}", "regions.a.hours must give each day a list of hours"),
        ("regions: {a: {hours: {}}}", "regions.a.hours is never open"),
        ("regions: {a: {hours: {mon: []}}}", "regions.a.hours is never open"),
        ("regions: {a: {holidays: XX}}", "regions.a.holidays is no code of the holidays package"),
        ("regions: {a: {holidays: GB-XXX}}", "names no part of GB that the holidays package has"),
        ("regions: {a: {holidays: NO}}", "regions.a.holidays must be a code or a file in quotes"),
        ("regions: {a: {holidays: {'2026-02-30': x}}}", "regions.a.holidays begins with no date"),
        ("regions: {a: }", "regions.a must hold settings of its own"),
        # who is what
        ("tiers: []", "tiers must not be empty"),
        ("tiers: gold", "tiers must be a list"),
        ("tiers: [gold, gold]", "tiers[1] gold is given twice"),
        ("causes: [{code: a}, {code: a}]", "causes[1].code a is given twice"),
        ("causes: [{code: a, need: luxury}]", "causes[0].need must be 'must_have'"),
        ("causes: [{code: a, words: {fr: [x]}}]", "causes[0].words.fr must be 'en' or 'zh'"),
        (
            "clocks: [{kind: a, within: 1h, when: {tier: glod}}]",
            "when.tier is no tier of this policy; did you mean gold?",
        ),
        ("clocks: [{kind: a, within: 1h, when: {cause: x}}]", "when.cause is no cause of this policy"),
        (
            "clocks: [{kind: a, within: 1h, when: {channel: fax}}]",
            "when.channel is no channel of this policy; there are",
        ),
        ("clocks: [{kind: a, within: 1h, when: {need: [must_have, x]}}]", "when.need is no need of this policy"),
        ("clocks: [{kind: a, within: 1h, when: {tier: []}}]", "clocks[0].when.tier must not be empty"),
        ("clocks: [{kind: a, within: 1h}, {kind: a, within: 2h, when: {tier: gold}}]", "clocks[1] never applies"),
        ("follow_up: {platinum: {after: 1d}}", "follow_up.platinum is no tier of this policy"),
        # people
        ("deputies: {choose: [boss]}", "deputies.choose[0] must be 'superior' or 'colleague'"),
        ("deputies: {at_most: 0d}", "deputies.at_most must be longer than nothing"),
        ("helpers: {answer_within: 1w}", "helpers.answer_within cannot be counted in business hours by the week"),
        ("helpers: {remind_after: [1h, 1w]}", "helpers.remind_after[1] cannot be counted in business hours"),
        ("workload: {open_at_most: 0}", "workload.open_at_most must be at least 1"),
        # the ladder
        ("escalation: {ladder: [{level: 2, role: chief, answer_within: 1h}]}", "ladder[0].level must be 1"),
        (f"escalation: {{ladder: [{RUNG}, {RUNG}]}}", "escalation.ladder[1].level must be 2"),
        ("escalation: {ladder: [{level: 1, role: cfo, answer_within: 1h}]}", "no executive has any of its roles"),
        ("escalation: {reasons: {departure_treat: 2}}", "did you mean departure_threat?"),
        (f"escalation: {{reasons: {{asked: 2}}, ladder: [{RUNG}]}}", "escalation.reasons.asked is above the ladder"),
        ("escalation: {reasons: {asked: 0}}", "escalation.reasons.asked must be at least 1"),
        ("escalation: {value_at_stake_over: {amount: 1, currency: usd}}", "currency is no currency"),
        ("escalation: {value_at_stake_over: {amount: 1e5, currency: USD}}", "amount must be an amount like"),
        ("escalation: {value_at_stake_over: {amount: -1, currency: USD}}", "amount must be an amount like"),
        ("escalation: {mail_budget: {per_minute: 0}}", "escalation.mail_budget.per_minute must be at least 1"),
        # texts
        ("version: 1.10", "version must be text: put it in quotes"),
        ("version: [1]", "version must be text"),
        ("version: 2026-13-45", "a value that cannot be read; put it in quotes"),
        ("version: !!timestamp soon", "a value that cannot be read; put it in quotes"),
        ("version: !!python/name:os.system x", "a value that cannot be read; put it in quotes"),
        ('version: "a\\nb"', "version has characters or a form that is not allowed"),
        ('version: "a\\0b"', "version has characters or a form that is not allowed"),
    ],
)
def test_a_mistake_is_named_with_its_line(line: str, said: str) -> None:
    found = mistakes(f"{ONE}# a remark\n\n{line}\n")
    assert len(found) == 1, found
    assert found[0][0] == 4 + line.count("\n") and said in found[0][1], found


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ("{id: a, name: A, email: a.example.com, role: r}", "executives[0].email is no e-mail address"),
        ("{id: a, name: A, email: 'a@example.com, b@example.com', role: r}", "email is no e-mail address"),
        ('{id: a, name: A, email: "a@example.com\\r\\nBcc: b@example.com", role: r}', "email is no e-mail address"),
        ('{id: a, name: "A\\nBcc: b@example.com", email: a@example.com, role: r}', "executives[0].name has characters"),
        ("{id: a, name: A, email: a@example.com, role: r, delegates: [a]}", "delegates names the person itself"),
        ("{id: a, name: A, email: a@example.com, role: r, time_zone: CEST}", "time_zone is no time zone"),
        ("{id: a, name: A, email: a@example.com}", "executives[0].role "),
        (
            "{id: a, name: A, email: a@example.com, role: r, absences: [{from: soon, until: 2026-12-31}]}",
            "absences[0].from is no day or time: write it like 2026-12-24",
        ),
        (
            "{id: a, name: A, email: a@example.com, role: r, absences: [{from: 2026-12-31, until: 2026-12-24}]}",
            "absences[0] ends before it begins",
        ),
        (
            "{id: a, name: A, email: a@example.com, role: r, quiet_hours: ['22:00']}",
            "quiet_hours holds hours where something is no span of hours",
        ),
        (
            "{id: a, name: A, email: a@example.com, role: r, quiet_hours: {mon-sun: ['00:00-24:00']}}",
            "quiet_hours never end",
        ),
        (
            "{id: a, name: A, email: a@example.com, role: r, quiet_hours: {sat: ['22:00-07:00']}}",
            "quiet_hours.sat[0] closes before it opens",
        ),
        (
            "{id: a, name: A, email: a@example.com, role: r}\n  - {id: a, name: B, email: b@example.com, role: r}",
            "executives[1].id a is given twice",
        ),
    ],
)
def test_executives_are_people_who_can_be_written_to(one: str, said: str) -> None:
    [(line, message)] = mistakes(f"version: x\nexecutives:\n  - {one}\n")
    assert line == 3 + one.count("\n") and said in message


def test_an_absence_has_the_names_of_the_file() -> None:
    one = "{id: a, name: A, email: a@example.com, role: r, absences: [{form: 1, until: 2026-12-31}]}"
    said = " ".join(message for _, message in mistakes(f"executives:\n  - {one}\n"))
    assert "absences[0].form is not known here; did you mean from?" in said and "absences[0].from " in said


def test_all_mistakes_come_at_once_in_order_whatever_their_kind() -> None:
    text = """
version: x
version: y
regions:
  uk:
    time_zone: London
    hours:
      mon-fri: ["09:00-12:00", "11:00-18:00"]
      sat: ["9-12"]
    holidays: XX-ENG
tiers: [gold, gold]
clocks:
  - kind: claim
    within: soon
    when: {tier: bronze}
escalation:
  reasons:
    askd: 1
  ladder:
    - {level: 2, role: chief, answer_within: 1h}
executives:
  - {id: ceo, name: Ana, email: nobody, role: chief}
  - {id: ceo, name: Ana, email: ceo@example.com, role: chief}
retention: {closed: 6 years}
"""
    assert [line for line, _ in mistakes(text)] == [3, 6, 8, 9, 10, 11, 14, 15, 18, 20, 22, 23, 24]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("[]", 1),
        ("just words", 1),
        ("# remarks alone\n", 1),
        ("version: x\n\ttiers: [a]\n", 2),
        ("version: x\ntiers: [a\nclocks: []\n", 3),
        ("version: x\n---\nversion: y\n", 2),
        ("version: x\ntiers: *unknown\n", 2),
        ("version: x\nname: \x07\n", 2),
        ("version: x\nname: \ud800\n", 2),
    ],
)
def test_what_is_no_yaml_says_where(text: str, line: int) -> None:
    [(found, _)] = mistakes(text)
    assert found == line


def test_executives_must_be_given() -> None:
    assert [line for line, message in mistakes("version: x\n") if message.startswith("executives ")] == [1]
    assert mistakes("version: x\nexecutives: []\n") == [(2, "executives must not be empty")]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "a: " + "[" * 3_000 + "]" * 3_000,
        "a: " + "{a: " * 500 + "}" * 500,
        "a: [" + "a," * 150_000 + "]",
        "a: " + "x" * 5_000_000,
        "version: " + "9" * 100_000,
    ],
    ids=["laughs", "itself", "itself in a mapping", "lists", "mappings", "items", "text", "digits"],
)
def test_bombs_are_refused_soon(text: str) -> None:
    began = perf_counter()
    assert len(mistakes(text + "\n" + ONE)) == 1
    assert perf_counter() - began < 20


def test_an_alias_that_repeats_little_is_fine() -> None:
    text = "clocks:\n  - {kind: a, within: 1h, when: &gold {tier: gold}}\n  - {kind: b, within: 2h, when: *gold}\n"
    assert {clock.when.tier for clock in parse_policy(text + ONE).file.clocks} == {("gold",)}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("version: café".encode("latin-1"))
    for path in (tmp_path / "missing.yaml", tmp_path / "latin.yaml", tmp_path):
        with pytest.raises(PolicyError):
            load_policy(path)
    (tmp_path / "late.yaml").write_bytes(f"{ONE}\n# caf\xe9\n".encode("latin-1"))
    with pytest.raises(PolicyError) as late:
        load_policy(tmp_path / "late.yaml")
    assert [line for line, _ in late.value.mistakes] == [ONE.count("\n") + 2]
    for written in ("./missing.txt", "./latin.yaml", "./", "./odd.txt"):
        (tmp_path / "odd.txt").write_text("one day in May\n")
        (tmp_path / "p.yaml").write_text(f"regions: {{a: {{holidays: {written}}}}}\n{ONE}")
        with pytest.raises(PolicyError) as refused:
            load_policy(tmp_path / "p.yaml")
        assert [line for line, _ in refused.value.mistakes] == [1]


EXAMPLE = (ROOT / "deploy" / "policy.example.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
pieces = st.sampled_from(
    [
        "",
        "null",
        "[]",
        "{}",
        "-1",
        "0",
        "1.5",
        "true",
        "!!binary x",
        "2026-01-01",
        "'",
        "&a",
        "*a",
        ": ",
        "- ",
        "1h",
        "[[]]",
    ]
)
changes = st.lists(
    st.tuples(st.integers(0, len(EXAMPLE) - 1), st.integers(0, 120), st.integers(0, 40), pieces), min_size=1, max_size=3
)


@settings(max_examples=150, deadline=None)
@given(changes)
def test_a_spoiled_file_is_a_policy_or_a_list_of_mistakes(spoiled: list[tuple[int, int, int, str]]) -> None:
    lines = list(EXAMPLE)
    for row, begin, length, piece in spoiled:
        old = lines[row]
        lines[row] = old[:begin] + piece + old[begin + length :]
    _either("".join(lines))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["1h", "gold"])
)
NAMES = ["version", "regions", "tiers", "clocks", "kind", "within", "when", "tier", "escalation", "ladder", "level"]
NAMES += [
    "role",
    "reasons",
    "executives",
    "id",
    "email",
    "delegates",
    "hours",
    "mon-fri",
    "holidays",
    "words",
    "causes",
]
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), trees, max_size=5))
@example({"regions": {"a": {"hours": {"mon": ["09:00-10:00", 5]}}}, "follow_up": {"gold": []}})
def test_any_shape_is_a_policy_or_a_list_of_mistakes(data: dict[str, object]) -> None:
    import yaml

    _either(yaml.safe_dump(data, allow_unicode=True))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_list_of_mistakes(text: str) -> None:
    _either(text)


def _either(text: str) -> None:
    try:
        policy = parse_policy(text)
    except PolicyError as refused:
        assert refused.mistakes and refused.mistakes == sorted(refused.mistakes)
        assert all(1 <= line <= text.count("\n") + 2 and message for line, message in refused.mistakes)
    else:
        assert isinstance(policy, Policy)
