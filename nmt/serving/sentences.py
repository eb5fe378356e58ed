"""The sentences of documents, translated by the engine of a session."""

from collections.abc import Callable, Sequence

from nmt.decoding.settings import Search
from nmt.documents.translator import Candidate, TranslateSentences
from nmt.serving.types import Session, TranslatedSentence, Translation


def sentence_translator(
    session: Session, on_translation: Callable[[Translation], None] | None = None
) -> TranslateSentences:
    """Return a function that translates the sentences of documents.

    Args:
        session: whose engine translates them.
        on_translation: is told of every translation, to count what was done.
    """

    async def translate(sentences: Sequence[str], search: Search) -> Sequence[Sequence[Candidate]]:
        translation = await session.translate(sentences, search)
        if on_translation:
            on_translation(translation)
        return [_candidates(sentence) for sentence in translation.sentences]

    return translate


def _candidates(sentence: TranslatedSentence) -> list[Candidate]:
    return [
        Candidate(each.text, each.confidence, each.is_complete)
        for each in (sentence, *sentence.others)
    ]
