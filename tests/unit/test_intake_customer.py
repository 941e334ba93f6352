"""Which word about a customer counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import Profile, Standing, evolve_customer, merged, profiled
from shared.contracts.intake import CustomerErased

_DAY = datetime(2026, 3, 2, tzinfo=UTC)
_said = st.tuples(
    st.integers(0, 5), st.dictionaries(st.sampled_from(["tier", "region", "name"]), st.sampled_from(["a", "b", None]))
)


@given(st.lists(_said, max_size=6, unique_by=lambda one: one[0]), st.randoms())
def test_the_order_of_arrival_does_not_matter(said: list[tuple[int, dict[str, Any]]], random: Any) -> None:
    def all_of(statements: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        profile = Profile()
        for day, fields in statements:
            profile = merged(profile, fields, _DAY + timedelta(days=day))
        return dict(profile.fields)

    shuffled = list(said)
    random.shuffle(shuffled)
    assert all_of(shuffled) == all_of(sorted(said, key=lambda one: one[0]))


def test_only_what_is_new_is_told() -> None:
    profile = merged(Profile(), {"tier": "gold", "name": "Li Wei"}, _DAY)
    event = profiled("c-1", Standing(), profile, _DAY)
    assert event is not None
    standing = evolve_customer(None, event)
    assert (standing.tier, standing.profiled_at) == ("gold", _DAY)
    assert profiled("c-1", standing, merged(profile, {"name": "Li"}, _DAY), _DAY) is None
    erased = evolve_customer(standing, CustomerErased(customer_id="c-1", erased_at=_DAY))
    assert erased == Standing(erased_at=_DAY)
