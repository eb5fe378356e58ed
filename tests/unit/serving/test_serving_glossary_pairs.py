"""Terms of a client's glossary in pairs of a rollout: what each engine makes of them by itself."""

from typing import Any

import pytest

from nmt.decoding.hypothesis import Hypothesis
from nmt.serving.replica import Replica
from nmt.serving.web.record import RequestRecord
from nmt.serving.web.texts.session import TextOptions, TextResult, open_session, read_texts
from nmt.storage import Storage
from nmt.traffic import PairCounts, promote, start_canary
from tests.support.documents import Endpoint, Translator, request, source, storage
from tests.support.documents import run as run_documents
from tests.support.replica import every_client_is_sampled, loads, run
from tests.support.serving import NAME, ROUTE, World, until

__all__ = ["storage"]

GLOSSARY = {"court": "நீதிமன்றம்"}
KNOWS, FORGETS = "நீதிமன்றம் இன்று திறந்தது.", "கோயில் இன்று திறந்தது."


def answer(world: World, digest: str, text: str) -> None:
    """Let an engine answer all sentences with a text, or copy a stand-in for a term."""

    def search(rows: Any, *_search: Any, **_options: Any) -> list[list[Hypothesis]]:
        world.engines[digest].batches.append(list(rows))
        return [[Hypothesis(_answer_to(row[0], text), 1, -1.0, True)] for row in rows]

    world.engines[digest].search = search  # type: ignore[method-assign]


def _answer_to(sentence: str, text: str) -> str:
    is_replaced = "court" not in sentence and "opened" in sentence
    return f"{sentence.split()[1]} இன்று திறந்தது." if is_replaced else text


async def ask(one: Replica, client: str, text: str, glossary: dict[str, str]) -> TextResult:
    options = TextOptions(glossary=glossary)
    record = RequestRecord("id", None, client=client)
    with open_session(one, ROUTE, options, record) as session:
        (found,) = await session.translate(await read_texts([text], ROUTE, options))
    return found


def found(one: Replica, signal: str) -> list[PairCounts]:
    return [each for each in one._pairs.counts() if each.signal == signal]


def signs(one: Replica) -> list[tuple[int, int, int]]:
    return [(each.plus, each.zero, each.minus) for each in found(one, "glossary")]


@pytest.mark.parametrize("percent", [0, 100])
@pytest.mark.parametrize(
    ("stable", "canary", "expected"),
    [
        (KNOWS, FORGETS, (1, 0, 0)),
        (FORGETS, KNOWS, (0, 0, 1)),
        (KNOWS, KNOWS, (0, 1, 0)),
        (FORGETS, FORGETS, (0, 1, 0)),
    ],
)
def test_the_engine_that_forgets_a_term_is_found_whichever_answers(
    world: World, percent: int, stable: str, canary: str, expected: tuple[int, int, int]
) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", percent)
    every_client_is_sampled(world)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        answer(world, "a", stable)
        answer(world, "b", canary)
        await ask(one, "client", "The court opened today.", GLOSSARY)
        await until(lambda: bool(found(one, "broken")))
        assert signs(one) == [expected]

    run(world, check)


def test_a_stand_in_that_repairs_the_answer_does_not_hide_that_the_engine_forgets(
    world: World,
) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 100)
    every_client_is_sampled(world)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        answer(world, "a", KNOWS)
        answer(world, "b", FORGETS)
        repaired = await ask(one, "client", "The court opened today.", GLOSSARY)
        assert repaired.text == KNOWS
        assert [each.is_applied for each in repaired.glossary] == [True]
        await until(lambda: bool(found(one, "broken")))
        assert signs(one) == [(1, 0, 0)]

    run(world, check)


@pytest.mark.parametrize(
    ("text", "glossary"),
    [("The court opened today.", {}), ("The temple opened today.", GLOSSARY)],
    ids=["no glossary", "no term in the sentence"],
)
def test_other_pairs_do_not_count(world: World, text: str, glossary: dict[str, str]) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 0)
    every_client_is_sampled(world)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        answer(world, "a", KNOWS)
        answer(world, "b", FORGETS)
        await ask(one, "client", text, glossary)
        await until(lambda: bool(found(one, "broken")))
        assert signs(one) == []

    run(world, check)


def test_documents_have_the_terms_of_their_request(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        translator = Translator()
        asked = request(glossary={"river": "ஆறு"})
        await endpoint.replica(translator).add(asked, source(["The river is high today."]))
        await endpoint.reaches(asked.id, "done")
        assert translator.glossaries == [{"river": "ஆறு"}]

    run_documents(storage, check)
