"""Promotion of a run's engine to an endpoint, refused if it is worse than its base."""

from dataclasses import dataclass, replace

from nmt.cli.traffic_options import PromotionOptions
from nmt.errors import InputError, WorseThanBaseError
from nmt.provenance.verification import verify_engine
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    ENGINE_SYSTEM,
    METRIC_NAMES,
    TEST_SET,
    Comparison,
    EvaluationResult,
    format_p_value,
)
from nmt.runs.records import Record, find_record, require, result_of
from nmt.runs.steps import EVALUATE, EXPORT
from nmt.storage import Storage
from nmt.traffic import changes
from nmt.traffic.engines import explain_damage, language_pair
from nmt.traffic.file import read_traffic
from nmt.traffic.route_keys import check_domain, route_key
from nmt.traffic.routes import Traffic, check_percent

_NO_OPTIONS = PromotionOptions()


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
    """What the user should know about the engine and its base."""


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
        options: which traffic the engine gets, and the reason if it is worse than its base.
        public_key: as `serving.public_key` has it; None takes an engine that is not signed.
        dry_run: change nothing, and only return the result.

    Raises:
        MissingStepError: the run is not exported.
        SignatureError: a public key is given, and the engine is not what its key has signed.
        InputError: an option is not valid, or a canary or shadow does not fit the endpoint.
        WorseThanBaseError: the engine is significantly worse than its base, and no reason is given.
    """
    options = checked_options(options)
    exported = require(storage, run, EXPORT)
    if public_key is not None:
        with explain_damage(storage, exported.output):
            verify_engine(storage, exported.output, public_key)
    remark, reason = _judge(storage, run, exported, options)
    digest, domain = exported.output, options.domain
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
        traffic = changes.promote(storage, endpoint, digest, reason, domain=domain, dry_run=dry_run)
    pair = language_pair(storage, digest)
    key = route_key(pair.source_language, pair.target_language, domain)
    ended = _explain_ended(before, traffic, key)
    remarks = "; ".join(part for part in (ended, remark) if part)
    text = _explain_promotion(endpoint, run, digest, key, options, dry_run=dry_run)
    return Promotion(traffic, digest, key, text, remarks)


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


def _judge(
    storage: Storage, run: str, exported: Record, options: PromotionOptions
) -> tuple[str, str | None]:
    """Compare an engine with its base; return a remark, and the reason to be kept with the engine.

    Raises:
        WorseThanBaseError: the engine is significantly worse than its base, and no reason is given.
    """
    evaluated = find_record(storage, run, EVALUATE)
    evaluation = _find_evaluation(storage, run, exported, evaluated)
    # The engine itself rather than the tuned model: it is what users will get.
    compared = evaluation.comparison(ENGINE_SYSTEM) if evaluation else None
    # Only a significant loss is refused: any other difference may be chance. A shadow answers
    # nobody, so it may be worse.
    if evaluation and compared and compared.verdict == "worse" and not options.shadow:
        remark = _explain_force(run, _write_scores(evaluation, compared), options.force)
        return remark, options.force
    remarks = [] if compared else [_explain_unknown(run, evaluated, evaluation)]
    remarks += ["--force was not needed, and its reason is not kept"] if options.force else []
    # A reason that is kept with the engine says that it is worse than its base.
    return "; ".join(remarks), None


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


def _explain_force(run: str, scores: str, reason: str | None) -> str:
    """Say that a worse engine is promoted, and why.

    Raises:
        WorseThanBaseError: no reason is given.
    """
    if reason is None:
        raise WorseThanBaseError(
            f"run '{run}': its engine is significantly worse than its base: {scores}: "
            "train it again with other settings, or serve it anyway with "
            f'`promote run={run} --force "REASON"`'
        )
    return f"significantly worse than its base ({scores}), and promoted because: {reason}"


def checked_reason(text: str) -> str:
    """Read the reason for a forced promotion as one line.

    Raises:
        InputError: it is empty, or has characters that cannot be printed.
    """
    # It is shown within a line, where a line break or a control character would forge another.
    reason = " ".join(text.split())
    if not reason:
        raise InputError("--force needs a reason, which is kept with the engine")
    if not reason.isprintable():
        raise InputError("--force: the reason has characters that cannot be printed")
    return reason


def _find_evaluation(
    storage: Storage, run: str, exported: Record, evaluated: Record | None
) -> EvaluationResult | None:
    """Read the evaluation of the exported engine; None if there is none.

    Raises:
        StorageError: the record does not hold the result of an evaluation.
    """
    if evaluated is None or not evaluated.done:
        return None
    # An evaluation of an earlier release has no engine among its inputs.
    if evaluated.inputs.get(EXPORT.name) != exported.output:
        return None
    return result_of(storage, run, EVALUATE, evaluated)


def _explain_unknown(
    run: str, evaluated: Record | None, evaluation: EvaluationResult | None
) -> str:
    if evaluated is None or not evaluated.done:
        why = f"run '{run}' is not evaluated"
    elif evaluation:
        why = f"the evaluation of run '{run}' does not compare its engine with its base"
    else:
        why = f"the evaluation of run '{run}' is not of its present engine"
    return f"{why}: whether the engine is better than its base is not known"


def _write_scores(evaluation: EvaluationResult, compared: Comparison) -> str:
    """Write the scores of base and engine, and how sure the difference is."""
    parts: list[str] = []
    for metric, name in METRIC_NAMES.items():
        base = evaluation.score(BASE_SYSTEM, TEST_SET, metric)
        engine = evaluation.score(ENGINE_SYSTEM, TEST_SET, metric)
        if base and engine:
            parts.append(f"{name} {base.value:.2f} -> {engine.value:.2f}")
    parts.append(format_p_value(compared.p_value))
    return ", ".join([*parts, f"{evaluation.test_sets[TEST_SET].sentences} test sentences"])
