"""Whether the engine of a run may be promoted: by the gate, or else compared with its base."""

from dataclasses import dataclass

from nmt.cli.traffic_options import PromotionOptions
from nmt.errors import NotAcceptedError, WorseThanBaseError
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    ENGINE_SYSTEM,
    METRIC_NAMES,
    TEST_SET,
    Comparison,
    EvaluationResult,
    format_p_value,
)
from nmt.runs.gate import GateResult
from nmt.runs.gate_record import find_decision
from nmt.runs.records import Record, evaluation_of, find_record
from nmt.runs.steps import EVALUATE
from nmt.storage import Storage

_NOT_NEEDED = "--force was not needed, and its reason is not kept"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of an engine that may be promoted."""

    remark: str = ""
    """What the user should know."""
    forced: str | None = None
    """The reason to be kept with the engine, if only that lets it be promoted."""


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """A route of an endpoint, and what serves it."""

    endpoint: str
    key: str
    domain: str | None
    serving: str | None
    """Digest of the engine that serves it; None: nothing does."""

    def words(self, gate: GateResult) -> str:
        """Write the settings by which a gate compares with this route, and not with its own."""
        words = [f"serving.name={self.endpoint}"] if gate.endpoint != self.endpoint else []
        if gate.route != self.key:
            words.append(f"gate.domain={self.domain or 'null'}")
        return "".join(f" {word}" for word in words)


def judge(
    storage: Storage,
    run: str,
    exported: Record,
    route: ServedRoute,
    options: PromotionOptions,
) -> Judgement:
    """Decide whether the engine of a run may be promoted.

    Args:
        storage: the storage root.
        run: name of the run.
        exported: the record of its export.
        route: the route to promote to, and what serves it.
        options: which traffic the engine gets, and the reason to promote it all the same.

    Raises:
        NotAcceptedError: the gate has not accepted the engine, or has compared it with another one
            than serves, and no reason is given.
        WorseThanBaseError: without a gate, the engine is significantly worse than its base, and no
            reason is given.
    """
    # A shadow answers nobody, so it may be worse.
    if options.shadow:
        return Judgement(_NOT_NEEDED if options.force else "")
    gate = find_decision(storage, run, exported.output)
    if gate is None:
        return _judge_by_base(storage, run, exported, route.serving, options.force)
    obstacle = _find_obstacle(gate, run, route)
    if obstacle is None:
        remark = f"the gate accepted it ({gate.reason})"
        return Judgement(f"{remark}; {_NOT_NEEDED}" if options.force else remark)
    if options.force is None:
        raise NotAcceptedError(
            f'{obstacle}, or serve it anyway with `promote run={run} --force "REASON"`'
        )
    return Judgement(f"{obstacle}; promoted because: {options.force}", options.force)


def _find_obstacle(gate: GateResult, run: str, route: ServedRoute) -> str | None:
    """Explain why a decision of the gate does not let the engine serve; None if it does."""
    serving = route.serving
    if serving not in (gate.baseline, gate.engine):
        compared = f"engine {gate.baseline}" if gate.baseline else "the base"
        now = f"engine {serving} serves now" if serving else "nothing serves now"
        return (
            f"run '{run}': the gate has compared its engine with {compared}, but {now}: "
            f"give `nmt gate run={run}{route.words(gate)}` again"
        )
    if gate.verdict == "accept":
        return None
    if gate.verdict == "reject":
        return f"run '{run}': the gate rejected its engine: {gate.reason}: train another one"
    hint = "let people decide" if gate.is_for_people else "give it more or other test sets"
    return (
        f"run '{run}': the gate could not decide on its engine: {gate.reason}: {hint} (see "
        f"`nmt gate run={run}`)"
    )


def _judge_by_base(
    storage: Storage, run: str, exported: Record, serving: str | None, force: str | None
) -> Judgement:
    """Compare an engine that no gate has judged with its base.

    Raises:
        WorseThanBaseError: the engine is significantly worse than its base, and no reason is given.
    """
    evaluated = find_record(storage, run, EVALUATE)
    evaluation = evaluation_of(storage, run, evaluated, exported.output)
    # The engine itself rather than the tuned model: it is what users will get.
    compared = evaluation.comparison(ENGINE_SYSTEM) if evaluation else None
    # Only a significant loss is refused: any other difference may be chance.
    if evaluation and compared and compared.verdict == "worse":
        return Judgement(_explain_force(run, _write_scores(evaluation, compared), force), force)
    remarks = [] if compared else [_explain_unknown(run, evaluated, evaluation)]
    if serving and serving != exported.output:
        remarks.append(
            f"it was not compared with engine {serving}, which it replaces: `nmt gate run={run}` "
            "does that"
        )
    # A reason that is kept with the engine says that it is worse than its base.
    return Judgement("; ".join([*remarks, *([_NOT_NEEDED] if force else [])]))


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
