"""Sentences as the rows of an engine, and the translations of rows as those of sentences."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from nmt.decoding.hypothesis import Hypothesis
from nmt.engines.engine import Row, SearchEngine
from nmt.engines.translate import best_combinations
from nmt.errors import TranslationError
from nmt.serving.types import TranslatedSentence
from nmt.text.document import sentence_separator

_MAX_INLINE_CHARACTERS = 1000


async def encode_sentences(engine: SearchEngine, sentences: Sequence[str]) -> list[Sequence[Row]]:
    """Encode sentences, each as one or several rows.

    Raises:
        TranslationError: the engine failed.
    """

    def encode() -> list[Sequence[Row]]:
        return [engine.encode(sentence) for sentence in sentences]

    try:
        # Tokenizing a long text would block the other requests, while a short one takes less time
        # than the way to another thread and back.
        if sum(map(len, sentences)) <= _MAX_INLINE_CHARACTERS:
            return encode()
        return await asyncio.to_thread(encode)
    # A tokenizer's library may raise anything.
    except Exception as error:
        raise TranslationError(f"the engine cannot read a sentence: {error}") from error


def join_rows(parts: Sequence[Hypothesis], language: str) -> TranslatedSentence:
    """Join translated rows, one of each part of a sentence.

    Args:
        parts: of the sentence, in order.
        language: FLORES-200 code of the translation.
    """
    # Nearly all sentences, so that it is worth a way of its own.
    if len(parts) == 1:
        (only,) = parts
        return TranslatedSentence(
            only.text, only.tokens, only.log_probability, is_complete=only.is_complete
        )
    return TranslatedSentence(
        sentence_separator(language).join(part.text for part in parts),
        sum(part.tokens for part in parts),
        sum(part.log_probability for part in parts),
        is_complete=all(part.is_complete for part in parts),
    )


def join_candidates(
    parts: Sequence[Sequence[Hypothesis]], language: str, count: int
) -> TranslatedSentence:
    """Join what was found for the parts of a sentence to its best candidates.

    Args:
        parts: of each part in order, its hypotheses, the best first.
        language: FLORES-200 code of the translation.
        count: maximum number of candidates, which differ in their text.
    """
    if count == 1:
        return join_rows([found[0] for found in parts], language)
    by_text: dict[str, TranslatedSentence] = {}
    for chosen in best_combinations(parts, count):
        candidate = join_rows(chosen, language)
        # Several sequences of tokens may be the same text.
        by_text.setdefault(candidate.text, candidate)
    best, *others = by_text.values()
    return replace(best, others=tuple(others))
