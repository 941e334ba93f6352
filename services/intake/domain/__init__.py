"""What intake decides: pure functions over what was said."""

from .commands import Carried, Erase, Merge, NewContact, NewProfile, NewResponse, Opinion, Person
from .contact import Contact, capture, evolve_contact, respond
from .customer import PROFILE, Profile, Standing, combined, erase, evolve_customer, merged, merging, profiled
from .opinion import heard_again, lifted
from .references import references_in

__all__ = [
    "PROFILE",
    "Carried",
    "Contact",
    "Erase",
    "Merge",
    "NewContact",
    "NewProfile",
    "NewResponse",
    "Opinion",
    "Person",
    "Profile",
    "Standing",
    "capture",
    "combined",
    "erase",
    "evolve_contact",
    "evolve_customer",
    "heard_again",
    "lifted",
    "merged",
    "merging",
    "profiled",
    "references_in",
    "respond",
]
