"""What the executive of the demo writes. Words that were used before are refused as canned, so there are many."""

from __future__ import annotations

import random
from collections.abc import Iterator

_OPENING = (
    "I have just read every note on your line, and you are right to be angry.",
    "My own evenings would be spoilt by this too; I listened to your call twice.",
    "Chen told me the whole story over lunch, and I asked to write to you myself.",
    "You warned us three times before anybody looked at the street. That is on me.",
    "I looked up the measurements of the last nine evenings while reading your letter.",
)
_FAULT = (
    "The splitter under the pavement outside number 14 takes in water whenever it rains.",
    "A colleague moved your house to a crowded port in spring and never moved it back.",
    "The amplifier in the cellar of the bakery restarts when their ovens come on at six.",
    "Our own update made your model of router lose its settings after every power cut.",
    "Someone crimped the drop cable badly in 2019; it works while it is warm and fails at dusk.",
)
_DEED = (
    "Aylin from the night crew replaces it tomorrow at nine, and rings you when she is done.",
    "Tonight at two we switch you over; if the light is not green at breakfast, phone my desk.",
    "Two people dig on Thursday, I have signed the permit, and you need not be at home.",
    "A new unit comes by courier before noon, already set up; plug it in and throw ours away.",
    "The cable is relaid on Friday, above ground first so that you lose no evening over it.",
)
_CLOSING = (
    "Until then the mobile router in the parcel is yours, without a bill.",
    "I shall ring on Monday and ask how the weekend was.",
    "This month costs you nothing, and neither does the next if it happens again.",
    "My direct number stands below this letter; use it.",
    "Should you still want to leave after that, I will see to it that it takes one day.",
)
CANNED = "We apologize for any inconvenience caused. Your feedback is important to us."


def answers(name: str) -> Iterator[str]:
    """Texts an executive could write to this customer, in no order."""
    chance = random.SystemRandom()
    for _ in range(40):
        parts = [chance.choice(part) for part in (_OPENING, _FAULT, _DEED, _CLOSING)]
        yield f"Dear {name}, {' '.join(parts)}"
