"""Texts of any length as sentences to translate, for files of `nmt translate`."""

from collections.abc import Iterable
from dataclasses import dataclass

from nmt.languages import languages
from nmt.text.normalise import remove_noise
from nmt.text.segment import Segment, split_text, trim


@dataclass(frozen=True, slots=True)
class Documents:
    """Texts split into segments, of which the sentences are translated and the rest is kept."""

    segments: list[list[Segment]]
    """The segments of each text."""

    @classmethod
    def split(cls, texts: Iterable[str], language: str) -> "Documents":
        """Split texts into sentences, without invisible and control characters.

        Args:
            texts: any texts.
            language: as for `split_text`.
        """
        return cls([split_text(remove_noise(text), language) for text in texts])

    @classmethod
    def whole(cls, texts: Iterable[str], language: str) -> "Documents":
        """Take each text as one sentence, without invisible and control characters."""
        return cls([trim(remove_noise(text), language) for text in texts])

    @property
    def sentences(self) -> list[str]:
        """Return the sentences of all texts in order."""
        return [segment.text for text in self.segments for segment in text if segment.is_sentence]


def join_segments(segments: Iterable[Segment], translations: Iterable[str], language: str) -> str:
    """Join the segments of a text, with each sentence replaced by its translation.

    Args:
        segments: of the source text.
        translations: of its sentences; no more are taken than the text has.
        language: FLORES-200 code of the translations.
    """
    remaining, separator = iter(translations), sentence_separator(language)
    joined: list[str] = []
    after_sentence = False
    for segment in segments:
        if segment.is_sentence:
            # Chinese has nothing between two sentences, English needs a space there.
            joined += [separator] * after_sentence + [next(remaining)]
        elif separator or segment.text.strip(" ") or not joined:
            # Into Chinese, spaces between sentences are dropped, but line breaks are kept.
            joined.append(segment.text)
        after_sentence = segment.is_sentence
    return "".join(joined)


def sentence_separator(language: str) -> str:
    """Return what a language writes between two sentences: a space, or nothing.

    Args:
        language: FLORES-200 code.
    """
    return "" if languages()[language].is_ideographic else " "
