"""The policy file: what was promised to whom, who is asked when it is missed, and how every version of it is kept."""

from shared.policy.choosing import Choice, PassedOver, chosen
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
    Rule,
    Rung,
    Telling,
)
from shared.policy.policy import Facts, Policy, Term, load_policy, parse_policy
from shared.policy.proposals import proposals_table, propose, proposed, version_named
from shared.policy.reading import PolicyError
from shared.policy.showing import show
from shared.policy.versions import Policies, policies_table

__all__ = [
    "CauseEntry",
    "Choice",
    "Commitment",
    "Confirmation",
    "Escalation",
    "Executive",
    "Facts",
    "FollowUp",
    "MailBudget",
    "PassedOver",
    "Policies",
    "Policy",
    "PolicyError",
    "Promises",
    "Retention",
    "Rule",
    "Rung",
    "Telling",
    "Term",
    "chosen",
    "load_policy",
    "parse_policy",
    "policies_table",
    "proposals_table",
    "propose",
    "proposed",
    "show",
    "version_named",
]
