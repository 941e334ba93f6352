"""The same trouble in Chinese, and causes that are learned from examples: on texts of our own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.intake.signals import CauseWords, Earlier, Hearing
from services.intake.signals.cause import CauseEar
from services.intake.signals.rarity import counted, main, rarity
from services.intake.signals.text import plain_words

_BEFORE = "尊敬的领导您好！我是翠湖花园三栋的业主，楼下烧烤店每天晚上油烟特别大，窗户都不敢开，希望尽快处理，谢谢！"
_AGAIN = "您好，翠湖花园三栋楼下那家烧烤店的油烟问题还是没人管，每晚窗户都不敢开，请领导督促处理。"
_OTHER = "尊敬的领导您好！我是明珠苑的业主，小区电梯坏了一个星期没有人修，老人上下楼不方便，希望尽快处理，谢谢！"


def _heard(text: str) -> bool | None:
    before = Earlier("c-1", _BEFORE, None, datetime(2026, 3, 1, tzinfo=UTC))
    return Hearing(causes=()).hear(text, earlier=[before]).repeat.value


def test_the_same_trouble_is_told_from_the_same_courtesies() -> None:
    assert _heard(_AGAIN) is True
    assert _heard(_OTHER) is not True


_EXAMPLES = {
    "router-drops": ["My router loses the line every evening", "The internet cuts out as soon as I stream a film"],
    "billed-twice": ["I was charged two times this month", "My card was debited again for an invoice I had paid"],
    "late-technician": ["The engineer did not show up", "I waited all day for your technician and nobody came"],
}


def _ear(examples: dict[str, list[str]]) -> CauseEar:
    return CauseEar([CauseWords(code, examples={"en": texts}) for code, texts in examples.items()], "en")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("every evening the router loses its line", "router-drops"),
        ("you charged me two times for one invoice", "billed-twice"),
        ("nobody came, I waited for the engineer", "late-technician"),
    ],
)
def test_causes_are_known_by_examples(text: str, code: str) -> None:
    heard = _ear(_EXAMPLES).hear(text, plain_words(text))
    assert heard.candidates[0][0] == code


def test_a_correction_changes_what_is_heard() -> None:
    text = "the box on the wall blinks red at night"
    assert _ear(_EXAMPLES).hear(text, plain_words(text)).value is None
    corrected = {**_EXAMPLES, "router-drops": [*_EXAMPLES["router-drops"], "the box on the wall blinks red all night"]}
    assert _ear(corrected).hear(text, plain_words(text)).candidates[0][0] == "router-drops"


def test_what_is_like_no_example_decides_nothing_and_offers_three_at_most() -> None:
    text = "good morning to all of you"
    heard = _ear(_EXAMPLES).hear(text, plain_words(text))
    assert heard.value is None and len(heard.candidates) <= 3


def test_the_same_examples_give_the_same() -> None:
    text = "the line was cut and I was charged"
    assert _ear(_EXAMPLES).hear(text, plain_words(text)) == _ear(_EXAMPLES).hear(text, plain_words(text))


def test_tables_of_rarity_come_from_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = counted(["天气很好", "天气不好", "路由器坏了"], "zh")
    groups = table["features"]
    assert isinstance(groups, dict)
    weight = {feature: float(value) for value, features in groups.items() for feature in features}
    assert weight["天气"] < weight["路由"]
    file = tmp_path / "texts.jsonl"
    file.write_text('{"source": "own", "text": "hello there"}\n{"source": "other", "text": "good bye"}\n')
    main(["en", str(file), "--sources", "own"])
    printed = capsys.readouterr().out
    assert "hello" in printed and "bye" not in printed


def test_common_words_weigh_less_than_rare_ones() -> None:
    for language, common, rare in (("en", "the", "router"), ("zh", "的", "烧烤")):
        table = rarity(language)
        assert table.weights[common] < table.weights.get(rare, table.unknown)
