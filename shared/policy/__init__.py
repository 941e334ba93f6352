"""The policy file: what was promised to whom, who is asked when it is missed, and how every version of it is kept."""

from shared.policy.form import (
    CauseEntry,
    Commitment,
    Confirmation,
    Escalation,
    Executive,
    FollowUp,
    MailBudget,
    Promises,
    Retention,
    Rung,
)
from shared.policy.policy import Facts, Policy, Term, load_policy, parse_policy
from shared.policy.reading import PolicyError
from shared.policy.showing import show
from shared.policy.versions import Policies, policies_table

__all__ = [
    "CauseEntry",
    "Commitment",
    "Confirmation",
    "Escalation",
    "Executive",
    "Facts",
    "FollowUp",
    "MailBudget",
    "Policies",
    "Policy",
    "PolicyError",
    "Promises",
    "Retention",
    "Rung",
    "Term",
    "load_policy",
    "parse_policy",
    "policies_table",
    "show",
]
