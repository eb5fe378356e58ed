"""Promotion of a run's engine to an endpoint, refused unless it may replace what serves."""

from dataclasses import dataclass, replace

from nmt.cli.traffic_options import PromotionOptions
from nmt.errors import InputError, NotAcceptedError
from nmt.provenance.verification import verify_engine
from nmt.runs.records import require
from nmt.runs.steps import EXPORT
from nmt.storage import Storage
from nmt.traffic import changes
from nmt.traffic.engines import explain_damage, language_pair
from nmt.traffic.file import read_traffic, stable_engine
from nmt.traffic.judgement import Judgement, ServedRoute, judge
from nmt.traffic.route_keys import check_domain, route_key
from nmt.traffic.routes import Traffic, check_percent

_NO_OPTIONS = PromotionOptions()


@dataclass(frozen=True, slots=True)
class Candidate:
    """The engine of a run that may get traffic."""

    digest: str
    route: str
    """Key of the route of the engine."""
    stable: str | None
    """Engine that serves the route; None: nothing does."""
    options: PromotionOptions
    """With the reason as one line."""
    judged: Judgement


@dataclass(frozen=True, slots=True)
class Promotion:
    """The engine of a run at an endpoint."""

    traffic: Traffic
    """The traffic after the promotion."""
    digest: str
    route: str
    """Key of the route of the engine."""
    text: str
    """What was done, as a sentence."""
    remark: str = ""
    """What the user should know about the engine and what it replaces."""


def promote_run(
    storage: Storage,
    run: str,
    endpoint: str,
    options: PromotionOptions = _NO_OPTIONS,
    *,
    public_key: str | None = None,
    dry_run: bool = False,
) -> Promotion:
    """Make the engine of a run the stable one of its route, the canary or the shadow.

    Args:
        storage: the storage root.
        run: name of the run.
        endpoint: name of the endpoint (`serving.name`).
        options: which traffic the engine gets, and the reason if it is not accepted.
        public_key: as `serving.public_key` has it; None takes an engine that is not signed.
        dry_run: change nothing, and only return the result.

    Raises:
        MissingStepError: the run is not exported.
        SignatureError: a public key is given, and the engine is not what its key has signed.
        InputError: an option is not valid, or a canary or shadow does not fit the endpoint.
        NotAcceptedError: the gate has not accepted the engine, and no reason is given.
        WorseThanBaseError: without a gate, the engine is significantly worse than its base, and no
            reason is given.
    """
    candidate = judge_candidate(storage, run, endpoint, options, public_key=public_key)
    options, digest, key = candidate.options, candidate.digest, candidate.route
    domain, reason = options.domain, candidate.judged.forced
    before = read_traffic(storage, endpoint)
    if options.canary is not None:
        traffic = changes.start_canary(
            storage,
            endpoint,
            digest,
            options.canary,
            domain=domain,
            forced=reason,
            shadow_percent=options.shadow_percent,
            dry_run=dry_run,
        )
    elif options.shadow:
        share = options.shadow_percent
        traffic = changes.start_shadow(
            storage, endpoint, digest, domain=domain, shadow_percent=share, dry_run=dry_run
        )
    else:
        traffic = changes.promote(
            storage,
            endpoint,
            digest,
            reason,
            domain=domain,
            check_replaced=lambda stable: _check_unchanged(run, candidate, stable),
            dry_run=dry_run,
        )
    ended = _explain_ended(before, traffic, key)
    remarks = "; ".join(part for part in (ended, candidate.judged.remark) if part)
    text = _explain_promotion(endpoint, run, digest, key, options, dry_run=dry_run)
    return Promotion(traffic, digest, key, text, remarks)


def judge_candidate(
    storage: Storage,
    run: str,
    endpoint: str,
    options: PromotionOptions,
    *,
    public_key: str | None = None,
) -> Candidate:
    """Check that the engine of a run may get traffic.

    Args:
        storage: the storage root.
        run: name of the run.
        endpoint: name of the endpoint (`serving.name`).
        options: which traffic the engine gets, and the reason if it is not accepted.
        public_key: as `serving.public_key` has it; None takes an engine that is not signed.

    Raises:
        MissingStepError: the run is not exported.
        SignatureError: a public key is given, and the engine is not what its key has signed.
        InputError: an option is not valid.
        NotAcceptedError: the gate has not accepted the engine, and no reason is given.
        WorseThanBaseError: without a gate, the engine is significantly worse than its base, and no
            reason is given.
    """
    options = checked_options(options)
    exported = require(storage, run, EXPORT)
    if public_key is not None:
        with explain_damage(storage, exported.output):
            verify_engine(storage, exported.output, public_key)
    key = route_of(storage, exported.output, options.domain)
    served = ServedRoute(endpoint, key, options.domain, stable_engine(storage, endpoint, key))
    judged = judge(storage, run, exported, served, options)
    return Candidate(exported.output, key, served.serving, options, judged)


def route_of(storage: Storage, digest: str, domain: str | None) -> str:
    """Return the key of the route that an engine belongs to.

    Raises:
        StorageError: its card is missing or cannot be read.
    """
    pair = language_pair(storage, digest)
    return route_key(pair.source_language, pair.target_language, domain)


def _check_unchanged(run: str, candidate: Candidate, serving: str | None) -> None:
    """Refuse a promotion if another engine was promoted after this one had been judged.

    Raises:
        NotAcceptedError: the engine may have been accepted against what no longer serves.
    """
    if serving != candidate.stable:
        raise NotAcceptedError(
            f"run '{run}': engine {serving} was promoted to {candidate.route} while this one was "
            "judged: give the same command again"
        )


def checked_options(options: PromotionOptions) -> PromotionOptions:
    """Return the options of a promotion with the reason as one line.

    Raises:
        InputError: the reason, a percentage or the name of the domain is not valid.
    """
    if options.canary is not None:
        check_percent("--canary", options.canary)
    if options.shadow_percent is not None:
        check_percent("--shadow-percent", options.shadow_percent)
        if options.canary is None and not options.shadow:
            raise InputError(
                f"--shadow-percent {options.shadow_percent}: give it with --canary or --shadow, "
                "since only these are compared with the stable engine"
            )
    if options.domain is not None:
        check_domain(options.domain)
    return replace(options, force=None if options.force is None else checked_reason(options.force))


def _explain_promotion(
    endpoint: str, run: str, digest: str, key: str, options: PromotionOptions, *, dry_run: bool
) -> str:
    # The digest and not the run decides what is served: a run can be exported again.
    engine = f"engine {digest} of run {run}"
    if options.canary is not None:
        verb = "would let" if dry_run else "lets"
        share = f"{options.canary} % of the clients of {key}"
        return f"endpoint '{endpoint}' {verb} {engine} answer {share} as a canary"
    if options.shadow:
        verb = "would let" if dry_run else "lets"
        return f"endpoint '{endpoint}' {verb} {engine} translate along for {key} as a shadow"
    verb = "would serve" if dry_run else "serves"
    return f"endpoint '{endpoint}' {verb} {engine} for {key}"


def _explain_ended(before: Traffic | None, after: Traffic, key: str) -> str:
    """Name a canary or shadow that a promotion has ended."""
    old = before.routes.get(key) if before else None
    if old is None or old.candidate is None or old.candidate in after.routes[key].engines:
        return ""
    kind = "canary" if old.canary else "shadow"
    return f"this ends {kind} {old.candidate}"


def checked_reason(text: str, option: str = "--force") -> str:
    """Read a reason, such as that for a forced promotion, as one line.

    Raises:
        InputError: it is empty, or has characters that cannot be printed.
    """
    # It is shown within a line, where a line break or a control character would forge another.
    reason = " ".join(text.split())
    if not reason:
        raise InputError(f"{option} needs a reason, which is kept with the engine")
    if not reason.isprintable():
        raise InputError(f"{option}: the reason has characters that cannot be printed")
    return reason
