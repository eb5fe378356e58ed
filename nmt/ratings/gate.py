"""What people decide where the gate cannot: a study of ratings of both engines."""

from nmt.errors import InputError, StorageError
from nmt.ratings.decision import decide
from nmt.ratings.design import Design, Outputs, Wishes, make_design
from nmt.ratings.sources import outputs_kept
from nmt.ratings.statistics.agreement import summarize_raters
from nmt.ratings.studies import find_design, read_keys, read_ratings, start_study
from nmt.runs.evaluation import BASE_SYSTEM, ENGINE_SYSTEM, STABLE_SYSTEM
from nmt.runs.gate import GateResult, PeopleAnswer, explain_verdict
from nmt.storage import Storage
from nmt.traffic import parse_route_key


def study_name(result: GateResult) -> str:
    """Return the name of the study of a decision, which only the same two engines have."""
    return f"gate.{result.engine}.{result.baseline or BASE_SYSTEM}"


def ask_people(storage: Storage, run: str, result: GateResult, raters: int, seed: int) -> Design:
    """Start the study by which people decide, or return it if it has started.

    They rate the largest test set that decides, by direct assessment in batches of 50 sentences. A
    study goes on with its set, also when a larger one is added.

    Raises:
        InputError: the engines translate everything alike, or the study has another design, by
            which it could decide something else.
    """
    name = study_name(result)
    found = find_design(storage, run, name)
    outputs = _outputs(storage, run, result, found)
    names = tuple(str(number) for number in range(1, raters + 1))
    # The raters of a study that has started stay; nothing else of it may differ.
    wishes = Wishes(raters=found.raters if found else names)
    return start_study(storage, make_design(run, name, outputs, wishes, seed))


def has_translations(storage: Storage, run: str, result: GateResult) -> bool:
    """Tell whether the translations that people rate are there and intact."""
    try:
        _outputs(storage, run, result, find_design(storage, run, study_name(result)))
    except InputError:
        return True
    except StorageError:
        return False
    return True


def _outputs(storage: Storage, run: str, result: GateResult, found: Design | None) -> Outputs:
    """Read the translations that people rate: of the set of their study, if it has started."""
    test_set = found.test_set if found else result.rated_set
    if test_set not in result.deciding_sets:
        raise InputError(
            f"they rate '{test_set}' in the study '{study_name(result)}', which is not one of the "
            f"test sets that decide now ({', '.join(result.deciding_sets)}): add it again by "
            f"evaluation.sets.{test_set}.path"
        )
    route = parse_route_key(result.route)
    baseline = STABLE_SYSTEM if result.baseline else BASE_SYSTEM
    languages = (route.source_language, route.target_language)
    return outputs_kept(storage, run, test_set, (baseline, ENGINE_SYSTEM), languages)


def with_answer(storage: Storage, run: str, result: GateResult) -> GateResult:
    """Return the result with what people have said so far, where a study was started.

    While people are undecided, also after a correction of ratings that had decided, the verdict
    and its reason are those of the rules.
    """
    name = study_name(result)
    design = find_design(storage, run, name)
    if design is None:
        return result
    ratings = read_ratings(storage, run, name)
    decision = decide(ratings, design, read_keys(storage, design))
    warnings = (rater.warning for rater in summarize_raters(ratings, design))
    people = PeopleAnswer(
        study=name,
        answer=decision.answer,
        reason=decision.reason,
        ratings=decision.ratings_used,
        looks_left=decision.looks_left,
        warnings=tuple(warning for warning in warnings if warning),
    )
    reason = f"people: {people.reason}"
    if people.answer == "undecided":
        reason = explain_verdict("undecided", result.rules)
    return result.model_copy(update={"people": people, "verdict": people.answer, "reason": reason})
