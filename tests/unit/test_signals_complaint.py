"""Is it a complaint? Words of the lexicon, and behind them those that people in general find ill."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.intake.signals import Hearing, valence


def test_words_that_people_find_ill_count_beside_those_of_the_lexicon() -> None:
    hearing = Hearing(causes=())
    plain = hearing.hear("The visit at noon was with two people from your team.").complaint
    ill = hearing.hear("The visit at noon was a debacle with two cowardly people from your team.").complaint
    assert (plain.value, ill.value) == (False, True)
    assert "words that people find ill" in ill.because


def test_the_list_of_ill_words_is_made_by_its_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "words.txt"
    table.write_text("grim\t-2.7\t0.4\t[-3]\nmild\t-0.9\t0.1\t[0]\n:(\t-2.2\t0.1\t[-2]\nain't\t-1.1\t0\t[-1]\n")
    assert valence.main([str(table)]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")] == ["aint", "grim"]
