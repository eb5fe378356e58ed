"""Pairs of a rollout: which requests are compared, when, and how they are counted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from nmt.decoding.hypothesis import Hypothesis
from nmt.serving import shadow
from nmt.serving.batching.batcher import Batcher
from nmt.serving.engines.routes import ActiveRoute, HeldEngine, activate
from nmt.serving.shadow import Pairs
from nmt.serving.types import TranslatedSentence, Translation
from nmt.traffic import PairCounts, Route
from tests.support.serving import KEY, FakeEngine, until


@dataclass
class Setting:
    """A route with a canary, whose pairs are counted."""

    pairs: Pairs
    active: ActiveRoute
    stable: FakeEngine
    canary: FakeEngine
    clock: list[float]
    idle: list[str]
    """Engines that nobody uses any more, though they are not wanted."""

    def draw(
        self, client: str, *sentences: str, arm: Any = "stable", text: str | None = "x"
    ) -> None:
        translation = None if text is None else _translation(sentences, text)
        self.pairs.draw(self.active, arm, client, sentences, translation)

    def count(self, signal: str = "broken") -> PairCounts:
        found = [each for each in self.pairs.counts() if each.signal == signal]
        (counts,) = found or [PairCounts(**_NONE, signal=signal)]
        return counts


_NONE = {"rollout": "r", "step": 0, "route": KEY, "stable": "a", "other": "b"}


def _translation(sentences: Sequence[str], text: str) -> Translation:
    return Translation([TranslatedSentence(text, 1, -1.0) for _ in sentences], "a", 1)


def run(check: Callable[[Setting], Awaitable[None]], *, percent: float = 100, **route: Any) -> None:
    async def body() -> None:
        clock, idle = [0.0], []
        batcher = Batcher(max_batch_tokens=64, max_queued_tokens=1000)
        engines = FakeEngine("a"), FakeEngine("b")
        held = {
            each.digest: HeldEngine(each, 1, 0.0, 0.0, lambda each=each: idle.append(each.digest))
            for each in engines
        }
        canary = {"canary": "b", "percent": 50} | route
        wanted = Route(stable="a", rollout="r", shadow_percent=percent, **canary)
        active = activate(KEY, wanted, held, None, 0.0)
        assert active
        pairs = Pairs(batcher, lambda: clock[0])
        await check(Setting(pairs, active, *engines, clock, idle))
        for engine in engines:
            engine.gate.set()
        await batcher.close()

    asyncio.run(asyncio.wait_for(body(), 10))


def test_both_engines_translate_the_sentence_of_a_pair() -> None:
    async def check(setting: Setting) -> None:
        setting.draw("client", "hello")
        await until(lambda: setting.count().pairs == 1)
        assert setting.stable.batches == [[["hello"]]]
        assert setting.canary.batches == [[["hello"]]]

    run(check)


def test_a_document_gives_one_pair_of_one_sentence() -> None:
    async def check(setting: Setting) -> None:
        setting.draw("client", *(f"s{n}" for n in range(50)))
        await until(lambda: setting.count().pairs == 1)
        ((row,),) = setting.canary.batches
        assert row[0].startswith("s")

    run(check)


def test_a_client_gives_one_pair_in_ten_minutes() -> None:
    async def check(setting: Setting) -> None:
        for _ in range(5):
            setting.draw("client", "hello")
        setting.draw("other", "hello")
        await until(lambda: setting.count().pairs == 2)
        setting.clock[0] += 600
        setting.draw("client", "hello")
        await until(lambda: setting.count().pairs == 3)

    run(check)


def test_only_the_sample_is_compared() -> None:
    async def check(setting: Setting) -> None:
        for number in range(400):
            setting.draw(f"client{number}", "hello")
            await asyncio.sleep(0)
        await setting.pairs.finish(5)
        assert 5 <= setting.count().pairs <= 50

    run(check, percent=5)


def test_without_a_rollout_nothing_is_compared() -> None:
    async def check(setting: Setting) -> None:
        setting.draw("client", "hello")
        setting.pairs.count_error(setting.active, "stable")
        await setting.pairs.finish(5)
        assert setting.pairs.counts() == ()

    run(check, canary=None)


def test_a_client_that_corrects_counts_once_in_ten_minutes() -> None:
    async def check(setting: Setting) -> None:
        for client in ("one", "one", "two"):
            setting.pairs.count_correction(setting.active, "canary", client)
        assert setting.count("corrections").events_canary == 2
        setting.clock[0] += 600
        setting.pairs.count_correction(setting.active, "stable", "one")
        assert setting.count("corrections").events_stable == 1

    run(check)


def test_a_shadow_is_compared_like_a_canary() -> None:
    async def check(setting: Setting) -> None:
        setting.draw("client", "hello")
        await until(lambda: setting.count().pairs == 1)

    run(check, canary=None, shadow="b")


@pytest.mark.parametrize(
    ("arm", "broken", "expected"),
    [
        ("stable", "canary", "plus"),
        ("stable", "stable", "minus"),
        ("canary", "stable", "minus"),
        ("canary", "canary", "plus"),
    ],
)
def test_an_engine_that_fails_counts_as_broken(arm: Any, broken: str, expected: str) -> None:
    async def check(setting: Setting) -> None:
        # The client got an answer, unless the failing engine was the one that answered.
        text = None if arm == broken else "தமிழ் உரை"
        sentence = "hello there"
        other = setting.canary if arm == "stable" else setting.stable
        other.search = _fail if arm != broken else _answer  # type: ignore[method-assign]
        setting.draw("client", sentence, arm=arm, text=text)
        await until(lambda: setting.count().pairs == 1)
        assert getattr(setting.count(), expected) == 1

    run(check)


def _fail(_rows: Any, *_search: Any, **_options: Any) -> Any:
    raise RuntimeError("cannot")


def _answer(rows: Any, *_search: Any, **_options: Any) -> Any:
    return [[Hypothesis("தமிழ் உரை", 1, -1.0, True)] for _ in rows]


def test_errors_are_counted_for_the_engine_that_answered() -> None:
    async def check(setting: Setting) -> None:
        setting.pairs.count_error(setting.active, "stable")
        setting.pairs.count_error(setting.active, "canary")
        setting.pairs.count_error(setting.active, "canary")
        counts = setting.count("errors")
        assert (counts.events_stable, counts.events_canary) == (1, 2)

    run(check)


def test_engines_of_a_pair_stay_loaded_until_it_is_counted() -> None:
    async def check(setting: Setting) -> None:
        setting.canary.gate.clear()
        setting.stable.gate.clear()
        setting.draw("client", "hello")
        assert setting.active.stable.users == 1
        assert setting.active.canary
        assert setting.active.canary.users == 1
        setting.active.canary.is_wanted = False
        setting.stable.gate.set()
        setting.canary.gate.set()
        await until(lambda: setting.idle == ["b"])
        assert setting.active.stable.users == 0

    run(check)


def test_a_rollout_that_ends_takes_its_pairs_and_counts_along() -> None:
    async def check(setting: Setting) -> None:
        setting.stable.gate.clear()
        setting.canary.gate.clear()
        for number in range(4):
            setting.draw(f"client{number}", "hello")
        await until(lambda: bool(setting.stable.batches or setting.canary.batches))
        setting.pairs.keep_only(())
        # The one that is being translated.
        assert setting.active.stable.users == 1
        setting.stable.gate.set()
        setting.canary.gate.set()
        await until(lambda: setting.active.stable.users == 0)
        setting.pairs.keep_only(())
        assert setting.pairs.counts() == ()

    run(check)


def test_pairs_that_cannot_be_translated_in_time_are_not_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shadow, "_MAX_PENDING_PAIRS", 3)

    async def check(setting: Setting) -> None:
        for number in range(10):
            setting.draw(f"client{number}", "hello")
        await setting.pairs.finish(5)
        assert setting.count().pairs == 3

    run(check)


def test_the_clients_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow, "_MAX_CLIENTS", 3)

    async def check(setting: Setting) -> None:
        for number in range(10):
            setting.draw(f"client{number}", "hello")
        await setting.pairs.finish(5)
        assert setting.count().pairs == 3

    run(check)


def test_a_canary_that_hangs_at_the_stop_counts_as_broken() -> None:
    async def check(setting: Setting) -> None:
        setting.canary.gate.clear()
        setting.draw("client", "hello", text="தமிழ் உரை")
        setting.draw("other", "hello", text="தமிழ் உரை")
        await until(lambda: bool(setting.canary.batches))
        await setting.pairs.finish(0.01)
        assert setting.count().plus == 1
        assert setting.count().pairs == 1
        assert setting.active.stable.users == 0

    run(check)


def test_each_step_of_a_rollout_has_its_own_counts() -> None:
    async def check(setting: Setting) -> None:
        setting.pairs.count_error(setting.active, "canary")
        later = setting.active.route.model_copy(update={"step": 1})
        setting.pairs.count_error(replace(setting.active, route=later), "canary")
        assert [each.step for each in setting.pairs.counts()] == [0, 1]

    run(check)
