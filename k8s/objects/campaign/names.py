"""Names and labels of campaigns and of what they own."""

import re
from collections.abc import Sequence
from typing import Literal

from k8s.api.cluster import CAMPAIGN
from nmt.config import digest_of

# Names below `.internal` are reserved for private use, so nobody else owns the group.
GROUP = CAMPAIGN.group
SHORT_NAME = "tc"
CATEGORY = "nmt"
LABEL_CAMPAIGN = f"{GROUP}/campaign"
"""Label of everything that a campaign owns, with its name."""
LABEL_REVISION = f"{GROUP}/revision"
"""Label of a RayJob, with the number of the revision."""
LABEL_ATTEMPT = f"{GROUP}/attempt"
"""Label of a RayJob, with the number of new attempts that were asked for before it."""
LABEL_KIND = f"{GROUP}/job"
"""Label of a RayJob, with what it does."""

MAX_NAME_LENGTH = 30  # with `-finish-` and a digest, a RayJob's name stays below KubeRay's limit
NAME_PATTERN = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
_RUN = re.compile(r"^(?P<campaign>.+)-r(?P<number>[1-9][0-9]*)$")

JobKind = Literal["data", "tune", "train", "finish", "all"]


def name_problem(name: str) -> str | None:
    """Explain why a campaign cannot have this name; return None for a valid one."""
    if len(name) > MAX_NAME_LENGTH:
        return (
            f"metadata.name '{name}' has {len(name)} characters, and a campaign's name may have "
            f"{MAX_NAME_LENGTH}: choose a shorter one"
        )
    if not re.match(NAME_PATTERN, name):
        return (
            f"metadata.name '{name}' must begin with a lower-case letter and contain only "
            "lower-case letters, digits and hyphens: choose another one"
        )
    return None


def run_name(campaign: str, number: int) -> str:
    """Return the name of the run of a revision."""
    return f"{campaign}-r{number}"


def revision_number(campaign: str, run: str) -> int | None:
    """Read the number of the revision from the name of a run; None for runs of others."""
    match = _RUN.match(run)
    return int(match["number"]) if match and match["campaign"] == campaign else None


def is_run_of_a_campaign(run: str) -> bool:
    """Tell whether a name is that of a run which some campaign may have made."""
    return _RUN.match(run) is not None


def campaign_job_name(
    campaign: str, kind: JobKind, steps: Sequence[str], run: str, attempt: int
) -> str:
    """Return the name of a RayJob, which is the same whenever the same work is asked for.

    The settings have no part in it. Else a change of one that does not matter, such as the number
    of workers, would start a second job beside the one that works on the run.

    Args:
        campaign: name of the campaign.
        kind: what the job does.
        steps: its steps.
        run: name of its run.
        attempt: number of new attempts that were asked for.
    """
    return f"{campaign}-{kind}-{digest_of([run, list(steps), attempt])[:8]}"


def rollout_owner(campaign: str) -> str:
    """Return the owner of a campaign's rollouts and of its route."""
    return f"campaign/{campaign}"
