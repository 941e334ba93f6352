"""Which complaints a text names."""

from __future__ import annotations

import pytest

from services.intake.domain import references_in


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (("C-7F3K9",), ("C-7F3K9",)),
        (("re c-7f3k9: again", "C-7F3K9 and C-00AB1."), ("C-7F3K9", "C-00AB1")),
        (("(C-7F3K9)", None, ""), ("C-7F3K9",)),
        (("投诉C-7F3K9还没有解决",), ("C-7F3K9",)),
        (("a C-section, ABC-12345, C-7F3K, C-7F3K9-2, C-ILOU1",), ()),
        ((" ".join(f"C-0000{n}" for n in range(10)) + " C-00010",), tuple(f"C-0000{n}" for n in range(10))),
    ],
)
def test_references(texts: tuple[str | None, ...], found: tuple[str, ...]) -> None:
    assert references_in(texts) == found
