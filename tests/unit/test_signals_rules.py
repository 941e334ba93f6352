"""A supervisor's own cues and guards, and what the command line says of a text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.command.line import app
from services.intake.listening import Ears
from services.intake.signals import Caller
from shared.policy import Policies, parse_policy

_EXAMPLE = Path(__file__).parents[2] / "deploy" / "policy.example.yaml"
_LEAVING = "I am packing my suitcase with your competitor already."
_OWN = """
hearing:
  switched_off: [not-back]
  added:
    - {name: packing, says: packs already, points: 3.0, any: ["packing my suitcase"]}
"""
_GUARDED = _OWN + '    - {name: holiday, says: a holiday, stops: [packing], any: ["for [2] holiday"]}\n'


def _policy_text(hearing: str) -> str:
    text = _EXAMPLE.read_text(encoding="utf-8")
    shown, found = re.subn(r"^hearing: .*\n", lambda _: hearing, text, flags=re.MULTILINE)
    assert found == 1
    return shown


def _ears(hearing: str) -> Ears:
    return Ears(Policies.single(parse_policy(_policy_text(hearing))))


def test_an_added_cue_is_heard_and_named_and_changes_the_version() -> None:
    plain, own = _ears(""), _ears(_OWN)
    assert plain.hear("I am packing my suitcase.", "", None, Caller()).departure_threat.value is False
    heard = own.hear("I am packing my suitcase.", "", None, Caller())
    assert heard.departure_threat.value is True
    assert any("packing" in reason for reason in heard.departure_threat.because)
    assert plain.hearing.version != own.hearing.version


def test_an_added_guard_takes_a_cue_away() -> None:
    heard = _ears(_GUARDED).hear("I am packing my suitcase for the holiday.", "", None, Caller())
    assert heard.departure_threat.value is False
    assert _ears(_GUARDED).hear("I am packing my suitcase.", "", None, Caller()).departure_threat.value is True


def test_a_rule_that_is_switched_off_is_not_heard() -> None:
    text = "I doubt I will be back."
    on = _ears("").hearing.explain(text)["sentences"]
    off = _ears(_OWN).hearing.explain(text)["sentences"]
    assert "not-back" in str(on) and "not-back" not in str(off)


def test_examples_of_the_policy_are_learned() -> None:
    text = _policy_text("").replace(
        "words:", "examples: {en: [the box blinks red, it blinks and then the box is red]}\n    words:", 1
    )
    heard = Ears(Policies.single(parse_policy(text))).hear("why does the box blink red", "", None, Caller())
    assert heard.cause.candidates


@pytest.mark.parametrize(
    ("hearing", "named"),
    [
        ("hearing: {switched_off: [no-such-cue]}\n", "no-such-cue: no rule is called that"),
        ('hearing: {added: [{name: mine, any: ["[2]"]}]}\n', "needs at least one word"),
        ('hearing: {added: [{name: mine, any: ["go <nowhere>"]}]}\n', "no list is called"),
        ('hearing: {added: [{name: not-back, any: ["bye"]}]}\n', "the name is taken"),
        ("hearing: {added: [{name: mine, any: []}]}\n", "added"),
        ("hearing: {second_opinion: [everywhere]}\n", "second_opinion"),
        ('hearing: {added: [{name: mine, points: 99, any: ["bye"]}]}\n', "points"),
    ],
)
def test_policy_check_names_a_rule_that_cannot_be_used(tmp_path: Path, hearing: str, named: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(_policy_text(hearing), encoding="utf-8")
    told = CliRunner().invoke(app, ["policy", "check", str(file)])
    assert told.exit_code == 2
    assert named in told.output
    line = next(at for at, one in enumerate(file.read_text().splitlines(), 1) if one.startswith("hearing:"))
    assert f"{file}:{line}: " in told.output


def test_explain_says_what_spoke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLAINT_LOOP_POLICY_FILE", str(_EXAMPLE))
    told = CliRunner().invoke(app, ["signals", "explain", "This is a joke. I will close my account and leave you."])
    assert told.exit_code == 0, told.output
    assert "departure_threat  yes" in told.output and "  cue " in told.output
    told = CliRunner().invoke(app, ["signals", "explain", "--json", "Ich kündige meinen Vertrag, das ist nicht gut"])
    assert '"language":null' in told.output
