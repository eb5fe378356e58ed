"""The sentences of a document, translated slice by slice with one engine."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from nmt.decoding.settings import Search
from nmt.documents.translator import Candidate
from nmt.errors import TranslationError
from nmt.serving.documents.slices import Answers, Asked
from nmt.serving.errors import OverloadedError
from nmt.serving.sentences import sentence_translator
from nmt.serving.types import Session

_SLICE_SENTENCES = 200
_MAX_FAILURES = 3
_RETRY_SECONDS = 2.0


class SlicedTranslator:
    """Translates sentences that are not known yet, and stores each slice as soon as it is done."""

    def __init__(
        self,
        session: Session,
        known: Answers,
        *,
        save: Callable[[Answers], Awaitable[None]],
        on_translated: Callable[[int, int], None],
    ) -> None:
        """Set up with the sentences that are translated already.

        Args:
            session: whose engine translates.
            known: the sentences of earlier slices, by the same engine.
            save: stores a slice.
            on_translated: told, for the call that runs, the number of its sentences that are known,
                and how many of these were translated just now.
        """
        self._ask = sentence_translator(session)
        self._answers = dict(known)
        self._save = save
        self._on_translated = on_translated

    async def __call__(
        self, sentences: Sequence[str], search: Search
    ) -> Sequence[Sequence[Candidate]]:
        """Translate sentences.

        Raises:
            TranslationError: the engine failed again and again.
            RequestError: the replica has stopped.
        """
        unique = dict.fromkeys(sentences)
        missing = [each for each in unique if Asked(each, search) not in self._answers]
        known = len(unique) - len(missing)
        self._on_translated(known, 0)
        for start in range(0, len(missing), _SLICE_SENTENCES):
            part = missing[start : start + _SLICE_SENTENCES]
            found = await self._translate(part, search)
            new = {
                Asked(sentence, search): tuple(candidates)
                for sentence, candidates in zip(part, found, strict=True)
            }
            self._answers |= new
            self._on_translated(known + start + len(part), len(part))
            await self._save(new)
        return [self._answers[Asked(each, search)] for each in sentences]

    async def _translate(
        self, sentences: Sequence[str], search: Search
    ) -> Sequence[Sequence[Candidate]]:
        """Translate a slice; wait as long as the queue is full, as nobody waits for the answer."""
        failures = 0
        while True:
            try:
                return await self._ask(sentences, search)
            except OverloadedError:
                pass
            except TranslationError:
                failures += 1
                if failures == _MAX_FAILURES:
                    raise
            await asyncio.sleep(_RETRY_SECONDS)
