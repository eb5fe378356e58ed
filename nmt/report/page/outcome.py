"""How the systems of an evaluation compare: the first part of the report."""

from dataclasses import dataclass

from nmt.errors import ConfigError
from nmt.languages import languages, resolve_language
from nmt.report import formatting
from nmt.report.ranking import Ranked, detectable_range, disagreements, rank
from nmt.report.scores import Difference, Results
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    ENGINE_SYSTEM,
    GENERAL_SET,
    TEST_SET,
    TUNED_SYSTEM,
    format_p_value,
)

_TEST_SET_LABELS = {TEST_SET: "Test set", GENERAL_SET: "General test set"}


@dataclass(frozen=True, slots=True)
class Headline:
    """BLEU of the base and of what the run made, on the test set."""

    base: float | None
    tuned: float | None
    system: str
    """`engine` where it was scored, since users get its translations; else `tuned`."""
    difference: Difference | None
    """None where it was not tested."""

    @property
    def verdict(self) -> str:
        """Return in words which of the two is better, and whether that is sure."""
        verdict = formatting.gain_verdict(self.base, self.tuned)
        if self.difference and not self.difference.is_significant:
            return f"{verdict}, but this may be chance"
        return verdict

    @property
    def direction(self) -> str:
        """Return the class of the style sheet: `up`, `down` or none."""
        if self.difference and not self.difference.is_significant:
            return ""
        gain = 0.0 if self.base is None or self.tuned is None else self.tuned - self.base
        return "up" if gain > 0 else "down" if gain < 0 else ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A verdict beside the headline."""

    title: str
    verdict: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Winner:
    """Which system is best on a test set."""

    test_set: str
    metric: str
    ranked: tuple[Ranked, ...]
    """All systems, the best first."""
    warnings: tuple[str, ...]
    detectable: str | None
    """How small a difference the set can show."""

    @property
    def best(self) -> Ranked:
        """Return the system with the best score."""
        return self.ranked[0]

    @property
    def leaders(self) -> list[Ranked]:
        """List the best system and those that are not significantly different from it."""
        return [row for row in self.ranked if row.place in ("best", "tied")]

    def at(self, place: str) -> list[str]:
        """List the systems of one place."""
        return [row.system for row in self.ranked if row.place == place]


def headline(results: Results) -> Headline:
    """Take the two scores that the page of a run begins with."""
    engine = results.value(ENGINE_SYSTEM, TEST_SET)
    system = TUNED_SYSTEM if engine is None else ENGINE_SYSTEM
    return Headline(
        results.value(BASE_SYSTEM, TEST_SET),
        results.value(system, TEST_SET),
        system,
        results.difference(system, BASE_SYSTEM, TEST_SET, "bleu"),
    )


def facts(results: Results) -> list[Fact]:
    """Say how sure the gain is, what quantization costs, and what was forgotten."""
    system = headline(results).system
    found = [
        _difference(f"{formatting.metric_name(metric)} on the test set", difference)
        for metric in ("bleu", "chrf++")
        if (difference := results.difference(system, BASE_SYSTEM, TEST_SET, metric))
    ]
    if not found:
        found.append(Fact("Difference", formatting.NOT_COMPUTED, None))
    for test_set in results.main_sets:
        quantized = results.tested_difference(ENGINE_SYSTEM, TUNED_SYSTEM, test_set)
        if quantized:
            title = f"Engine beside the model that it was made from, {label_of(test_set)}"
            found.append(_difference(title, quantized))
    names = [name for name in (TUNED_SYSTEM, ENGINE_SYSTEM) if name in results.systems]
    for test_set in dict.fromkeys([GENERAL_SET, *results.forgetting_sets]):
        found += [_forgetting(results, name, test_set, named=len(names) > 1) for name in names]
    return found


def _difference(title: str, difference: Difference) -> Fact:
    low, high = (formatting.signed(end) for end in difference.interval)
    metric = formatting.metric_name(difference.metric)
    return Fact(
        title,
        f"{formatting.signed(difference.value)}, {formatting.chance_verdict(difference)}",
        f"{format_p_value(difference.p_value)}, 95 % interval {low} to {high} {metric}",
    )


def _forgetting(results: Results, system: str, test_set: str, *, named: bool) -> Fact:
    before = results.value(BASE_SYSTEM, test_set)
    after = results.value(system, test_set)
    detail = None
    if before is not None and after is not None:
        scores = f"{formatting.number(before, 1)} → {formatting.number(after, 1)} BLEU"
        detail = f"{scores} ({formatting.change(before, after)})"
    title = f"{label_of(test_set)}, {system}" if named else label_of(test_set)
    return Fact(title, formatting.general_verdict(before, after), detail)


def label_of(test_set: str) -> str:
    """Return the heading of a test set."""
    return _TEST_SET_LABELS.get(test_set, test_set)


def language_name(code: str) -> str | None:
    """Return the name of a language; None for a code that is not known."""
    try:
        return languages()[resolve_language(code)].name
    except ConfigError:  # settings of another release may name a language that is gone
        return None


def winners(results: Results) -> list[Winner]:
    """Find the best system of each test set that shows what the systems are for."""
    found: list[Winner] = []
    for test_set in results.main_sets:
        metric = results.deciding_metric(test_set)
        if metric is None:
            continue
        sizes = detectable_range(results, test_set, metric)
        found.append(
            Winner(
                test_set,
                metric,
                tuple(rank(results, test_set, metric)),
                tuple(formatting.disagreement(row) for row in disagreements(results, test_set)),
                formatting.detectable(sizes, metric) if sizes else None,
            )
        )
    return found


def choice(found: list[Winner]) -> str | None:
    """Name the systems that no other beats on any test set."""
    if len(found) < 2:
        return None
    scored = [{row.system for row in winner.ranked} for winner in found]
    everywhere = set.intersection(*scored)
    sets = [{*winner.at("best"), *winner.at("tied"), *winner.at("untested")} for winner in found]
    common = [row.system for row in found[0].ranked if row.system in set.intersection(*sets)]
    text = "No system is best, or not distinguishable from the best, on every test set"
    if common:
        names = ", ".join(common)
        text = f"Best, or not distinguishable from the best, on every test set: {names}"
    others = sorted(set.union(*scored) - everywhere)
    # Such a system cannot be named, however good it is.
    return f"{text}; not scored on every set: {', '.join(others)}." if others else f"{text}."
