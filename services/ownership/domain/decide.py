"""Which decision belongs to which act."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from shared.policy import Policy
from shared.refusal import Refusal

from . import acts, classifying, handling, merging, resolving, splitting, standing_in
from .due import work_through
from .refusing import refuse
from .state import Complaint
from .story import Around, Story

Decision = Callable[[Story, Any, datetime, Policy, Around], Refusal | None]


def decide(
    state: Complaint, act: acts.Act, now: datetime, policy: Policy, around: Around
) -> tuple[Story, Refusal | None]:
    """What follows from `act`, for this complaint and perhaps for others of the customer (`also` of the story).

    What has come due by now is told first, also where the act is refused: a late act never hides a breach.
    """
    story = Story(state, people=around.people)
    work_through(story, policy, now, now)
    if state.merged_into is not None:
        detail = "The complaint was merged into another: what is to be done is done there."
        return story, refuse(state, "complaint-merged", detail)
    if refusal := standing_in.refused_for(story, act, around):
        return story, refusal
    return story, DECISIONS[type(act)](story, act, now, policy, around)


DECISIONS: Final[dict[type[acts.Act], Decision]] = {
    acts.Claim: handling.claim,
    acts.Acknowledge: handling.acknowledge,
    acts.Update: handling.update,
    acts.Classify: classifying.classify,
    acts.Withdraw: handling.withdraw,
    acts.Escalate: handling.escalate,
    acts.PauseClocks: handling.pause,
    acts.Resume: handling.end_pause,
    acts.AskHelper: handling.ask_helper,
    acts.HelperReply: handling.helper_reply,
    acts.Answer: resolving.answer,
    acts.Confirm: resolving.confirm,
    acts.FollowUp: resolving.follow_up,
    acts.Merge: merging.merge,
    acts.Split: splitting.split,
    acts.StartDeputy: standing_in.start_deputy,
    acts.EndDeputy: standing_in.stop_deputy,
    acts.Succeed: standing_in.succeed,
    acts.AcceptSuccession: standing_in.accept,
    acts.WithdrawSuccession: standing_in.withdraw,
}
