"""The commands `promote`, `rollback` and `traffic` on an open storage root."""

from datetime import UTC, datetime

from k8s.cli.output import Output
from nmt import traffic
from nmt.cli.traffic_options import PromotionOptions
from nmt.errors import InputError
from nmt.storage import Storage
from nmt.traffic.display import removal_text, rollback_text, traffic_text, traffic_value
from nmt.traffic.promotion import promote_run


def show_traffic(storage: Storage, endpoint: str, output: Output) -> None:
    """Print the routes of an endpoint, the state of its replicas, and the running rollouts.

    Raises:
        InputError: nothing was promoted.
    """
    found = traffic.read_traffic(storage, endpoint)
    if found is None:
        raise InputError(
            f"endpoint '{endpoint}' has no promoted engine: run `nmt-k8s promote run=…`"
        )
    replicas, now = traffic.read_reports(storage, endpoint), datetime.now(UTC)
    shown = (endpoint, found, replicas, now)
    output.answer(traffic_value(*shown), traffic_text(*shown))


def remove_route(
    storage: Storage, endpoint: str, key: str, output: Output, *, dry_run: bool
) -> None:
    """Stop serving a language pair or domain.

    Raises:
        InputError: there is no such route, or no other one.
    """
    changed = traffic.remove_route(storage, endpoint, key, dry_run=dry_run)
    text = removal_text(endpoint, key, changed, dry_run=dry_run)
    output.answer({"name": endpoint, **changed.model_dump(mode="json")}, text)


def promote(
    storage: Storage,
    run: str,
    endpoint: str,
    options: PromotionOptions,
    output: Output,
    *,
    public_key: str | None,
    dry_run: bool,
) -> None:
    """Give traffic to the engine of a run.

    Raises:
        SignatureError: there is a public key, and its private key has not signed the engine.
        InputError: the engine, an option or the state of the endpoint does not allow it.
    """
    promoted = promote_run(storage, run, endpoint, options, public_key=public_key, dry_run=dry_run)
    value = {"name": endpoint, **promoted.traffic.model_dump(mode="json")}
    text = promoted.text
    if promoted.remark:
        value["remark"] = promoted.remark
        text += f"\n{promoted.remark}"
    output.answer(value, text)


def rollback(
    storage: Storage, endpoint: str, route: str | None, output: Output, *, dry_run: bool
) -> None:
    """End the canary or shadow of a route, or return to its previous engine.

    Raises:
        InputError: nothing was promoted, there is no such route, or no earlier engine.
    """
    done = traffic.rollback(storage, endpoint, route=route, dry_run=dry_run)
    text = rollback_text(endpoint, done, dry_run=dry_run)
    output.answer({"name": endpoint, **done.traffic.model_dump(mode="json")}, text)
