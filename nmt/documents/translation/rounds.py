"""What sentences need of the model, asked for together: one call for all that is needed at once."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from nmt.decoding.settings import Search
from nmt.documents.translator import Candidate, TranslateSentences

_Result = TypeVar("_Result")
# Up to this length, the work takes less time than handing it to a thread and back.
_MAX_INLINE_CHARACTERS = 1000


class Request(NamedTuple):
    """A text that the model shall translate."""

    text: str
    search: Search


Work = Generator[Sequence[Request], None, _Result]
"""Yields requests, whose answers are then in the memory, and returns a result."""


@dataclass(slots=True)
class Memory:
    """The answers of the model."""

    answers: dict[Request, Sequence[Candidate]] = field(default_factory=dict)

    def missing(self, requests: Sequence[Request]) -> dict[Search, list[str]]:
        """List the texts without an answer by search, each once, in the order of need."""
        missing: dict[Search, dict[str, None]] = {}
        for request in requests:
            if request not in self.answers:
                missing.setdefault(request.search, {})[request.text] = None
        return {search: list(texts) for search, texts in missing.items()}


def together(works: Sequence[Work[_Result]]) -> Work[list[_Result]]:
    """Do several works at the same time, so that their requests are made at once."""
    if len(works) == 1:
        return [(yield from works[0])]
    results: dict[int, _Result] = {}
    active = list(enumerate(works))
    while active:
        requests: list[Request] = []
        waiting: list[tuple[int, Work[_Result]]] = []
        for index, work in active:
            try:
                requests += next(work)
                waiting.append((index, work))
            except StopIteration as stop:
                results[index] = stop.value
        active = waiting
        if requests:
            yield requests
    return [results[index] for index in range(len(works))]


async def perform(
    work: Work[_Result],
    characters: int,
    memory: Memory,
    translate: TranslateSentences,
    progress: Callable[[int, int], None] | None,
) -> _Result:
    """Do a work, and ask for what it needs.

    Args:
        work: of a document.
        characters: of the document.
        memory: that the work looks into.
        translate: translates sentences.
        progress: is told the number of sentences that are translated, and of all.
    """
    is_short = characters <= _MAX_INLINE_CHARACTERS
    while True:
        # In a thread: the work on a long document would block every other request.
        requests, results = _step(work) if is_short else await asyncio.to_thread(_step, work)
        if results:
            return results[0]
        for search, texts in memory.missing(requests).items():
            done = len(memory.answers)
            if progress:
                progress(done, done + len(texts))
            answers = await translate(texts, search)
            for text, candidates in zip(texts, answers, strict=True):
                memory.answers[Request(text, search)] = candidates
            if progress:
                progress(done + len(texts), done + len(texts))


def _step(work: Work[_Result]) -> tuple[Sequence[Request], list[_Result]]:
    """Return the next requests of a work, or its result."""
    try:
        return next(work), []
    except StopIteration as stop:
        return (), [stop.value]
