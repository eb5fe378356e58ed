"""Campaigns of a release, as `status` shows them."""

from collections.abc import Iterable

from k8s.api.cluster import CAMPAIGN
from k8s.cli.output import Clock
from k8s.objects.campaign.campaign import Campaign
from k8s.observe.lookup import Target, unless_forbidden
from nmt.cli.durations import duration
from nmt.cli.table import table

_HEADS = ("NAME", "PHASE", "RUN", "PROGRESS", "SERVES", "AGE")


def campaigns_of(target: Target) -> list[Campaign]:
    """List the campaigns of a release; none where the cluster does not know the kind."""
    if not target.cluster.serves(CAMPAIGN):
        return []
    # The role of an older release has no right to read them.
    found = unless_forbidden(lambda: target.cluster.select(CAMPAIGN))
    own = [body for body in found if body.get("spec", {}).get("release") == target.release.name]
    return [Campaign.parse(body) for body in own]


def campaign_rows(target: Target, clock: Clock) -> list[dict[str, str]]:
    """Return the fields that `status` shows of each campaign."""
    return [_row(campaign, clock.now()) for campaign in campaigns_of(target)]


def _row(campaign: Campaign, now: float) -> dict[str, str]:
    status = campaign.status
    percent = status.progress.percent if status.progress else None
    age = now - campaign.metadata.creation_timestamp.timestamp()
    return {
        "name": campaign.name,
        "phase": status.phase,
        "run": status.revision.run if status.revision else "",
        "progress": "" if percent is None else f"{percent:.0f} %",
        "serves": status.serves or "",
        "age": duration(age),
        "message": campaign.problem or status.message,
    }


def campaigns_table(rows: Iterable[dict[str, str]]) -> str:
    """Format campaigns as a table."""
    return table(
        ("CAMPAIGN", *_HEADS[1:]),
        [tuple(row[head.lower()] or "-" for head in _HEADS) for row in rows],
    )
