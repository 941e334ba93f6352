"""What intake decides: pure functions over what was said."""

from .commands import Carried, Erase, Merge, NewContact, NewProfile, NewResponse, Person
from .contact import Contact, capture, evolve_contact, respond
from .customer import PROFILE, Profile, Standing, combined, erase, evolve_customer, merged, profiled
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
    "Person",
    "Profile",
    "Standing",
    "capture",
    "combined",
    "erase",
    "evolve_contact",
    "evolve_customer",
    "merged",
    "profiled",
    "references_in",
    "respond",
]
