"""What `promote` and `rollback` ask of a campaign instead of doing it themselves."""

from collections.abc import Iterable

from k8s.api.cluster import CAMPAIGN
from k8s.cli.campaigns import campaigns_of
from k8s.cli.output import Clock, Output
from k8s.cli.route_owner import find_route_owner
from k8s.cli.storage_commands import StorageCommand
from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.names import revision_number, rollout_owner
from k8s.objects.campaign.spec import ActionKind
from k8s.observe.lookup import Target
from nmt.cli.traffic_options import PromotionOptions
from nmt.errors import InputError

_MANAGER = "nmt-k8s"


def ask_campaign(
    target: Target,
    command: StorageCommand,
    storage: str,
    suffix: str,
    output: Output,
    clock: Clock,
    *,
    dry_run: bool,
) -> bool:
    """Set the action of the campaign that a promotion or a rollback is about.

    Args:
        target: the release.
        command: `promote` or `rollback`.
        storage: `storage` of the settings.
        suffix: makes names unique.
        output: where the answer goes.
        clock: time.
        dry_run: print what would be changed, and change nothing.

    Returns:
        False if it is about no campaign, so that the command has to do it itself.

    Raises:
        InputError: the campaign does not promote that run, or the operator is off.
        ClusterError: the storage cannot be read, or the campaign cannot be changed.
    """
    campaigns = campaigns_of(target)
    # Reading the owner may take a Pod, which a release without campaigns does not need.
    if not campaigns:
        return False
    if command.name == "promote":
        campaign = _of_run(campaigns, command.run)
    else:
        place = (storage, command.endpoint, command.route)
        campaign = _of_owner(campaigns, find_route_owner(target, *place, suffix, clock))
    if campaign is None:
        return False
    do: ActionKind = "rollback"
    if command.name == "promote":
        _check_promotion(campaign, command.run, command.promotion)
        do = "promote"
    reason = command.promotion.force or f"nmt-k8s {command.name}"
    _tell(target, campaign, do, reason, suffix, output, dry_run=dry_run)
    return True


def _of_run(campaigns: Iterable[Campaign], run: str) -> Campaign | None:
    """Find the campaign that has made a run."""
    return next((each for each in campaigns if revision_number(each.name, run)), None)


def _of_owner(campaigns: Iterable[Campaign], owner: str | None) -> Campaign | None:
    """Find the campaign that owns a route."""
    return next((each for each in campaigns if rollout_owner(each.name) == owner), None)


def _check_promotion(campaign: Campaign, run: str, options: PromotionOptions) -> None:
    """Refuse to promote what the campaign of a run would not promote.

    Raises:
        InputError: the run is not the current one, or an option is a setting of the campaign.
    """
    revision = campaign.status.revision
    if revision is None or revision.run != run:
        current = f"is at run '{revision.run}'" if revision else "has no run yet"
        raise InputError(
            f"promote: run '{run}' is of campaign '{campaign.name}', which {current}, and promotes "
            "no other: change its spec, or `nmt-k8s rollback`"
        )
    given = (
        ("--canary", options.canary),
        ("--shadow", options.shadow or None),
        ("--shadow-percent", options.shadow_percent),
        ("--domain", options.domain),
    )
    for option, value in given:
        if value is not None:
            setting = "gate.domain" if option == "--domain" else "rollout"
            raise InputError(
                f"promote: run '{run}' is of campaign '{campaign.name}': leave out {option}, and "
                f"set spec.config.{setting}"
            )


def _tell(
    target: Target,
    campaign: Campaign,
    do: ActionKind,
    reason: str,
    suffix: str,
    output: Output,
    *,
    dry_run: bool,
) -> None:
    """Set the action of a campaign, which its operator does.

    Raises:
        InputError: the operator of the release is off.
        ConflictError: the campaign was deleted and made again.
    """
    if not target.release.operator:
        raise InputError(
            f"the route belongs to campaign '{campaign.name}', and the operator of release "
            f"'{target.release.name}' is off: set operator.enabled=true in its values"
        )
    action = {"id": f"{_MANAGER}-{suffix}", "do": do, "reason": reason}
    body = {
        "apiVersion": CAMPAIGN.api_version,
        "kind": CAMPAIGN.name,
        # With the uid, a campaign that is gone is not made again.
        "metadata": {
            "name": campaign.name,
            "namespace": target.cluster.namespace,
            "uid": campaign.metadata.uid,
        },
        "spec": {"action": action},
    }
    if dry_run:
        output.objects([body])
        return
    target.cluster.apply(body, _MANAGER, force=True)
    text = (
        f"campaign '{campaign.name}' is told to {do} (action {action['id']}); "
        "its status says what has become of it: nmt-k8s status"
    )
    output.answer({"campaign": campaign.name, "action": action}, text)
