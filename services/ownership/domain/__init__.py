"""What a complaint is and how it is decided on: pure, told what time it is."""

from .contacts import (
    answered_by,
    decide_customer_contact,
    decide_heard_again,
    decide_joining,
    decide_opening,
    decide_response,
    decide_response_to_closed,
    joins,
)
from .decide import decide
from .due import next_moment, work_through
from .evolve import evolve
from .executives import executive_answered, executive_asked, executive_replied
from .manning import keep_manned, next_look
from .repeating import judge_person
from .standing_in import acted_as
from .state import Clock, Complaint, from_json, to_json
from .story import Around, Story, Told

__all__ = [
    "Around",
    "Clock",
    "Complaint",
    "Story",
    "Told",
    "acted_as",
    "answered_by",
    "decide",
    "decide_customer_contact",
    "decide_heard_again",
    "decide_joining",
    "decide_opening",
    "decide_response",
    "decide_response_to_closed",
    "evolve",
    "executive_answered",
    "executive_asked",
    "executive_replied",
    "from_json",
    "joins",
    "judge_person",
    "keep_manned",
    "next_look",
    "next_moment",
    "to_json",
    "work_through",
]
