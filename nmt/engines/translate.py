"""Translation of texts of any length with a loaded engine."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from nmt.decoding.hypothesis import Hypothesis
from nmt.decoding.settings import Sampling, Search
from nmt.engines.endless import cut_endless
from nmt.engines.engine import Row, SearchEngine
from nmt.text.document import Documents, join_segments, sentence_separator
from nmt.text.packing import batches_by_length


@dataclass(frozen=True, slots=True)
class TranslateOptions:
    """How texts are translated, apart from the engine's own settings."""

    max_batch_tokens: int
    """Maximum number of source tokens in a batch, padding included."""
    candidates: int = 1
    """Number of translations of each text, at most the engine's beam size."""
    scored: bool = False
    """Whether to compute how probable a translation is."""
    split_sentences: bool = True
    """Whether to translate each sentence of a text by itself."""
    cut_endless: bool = True
    """Whether to cut the output of a model that does not end it."""
    sampling: Sampling | None = None
    """Unless None, translations are sampled, and those most like the others in chrF are taken."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One translation of a text or of a part of it."""

    text: str
    tokens: int = 0
    log_probability: float = 0.0
    is_cut: bool = False
    """Whether the output was endless, and was cut."""
    score: float = 0.0
    """What the candidates of a text are ranked by; of several sentences, the sum."""

    @property
    def confidence(self) -> float | None:
        """Return the mean log-probability of the tokens; None if nothing was translated."""
        return self.log_probability / self.tokens if self.tokens else None


@dataclass(frozen=True, slots=True)
class Translated:
    """The translations of several texts."""

    candidates: list[list[Candidate]]
    """Of each text, the best first; fewer than asked for if the search found no more."""
    source_tokens: int

    @property
    def texts(self) -> list[str]:
        """Return the best translation of each text."""
        return [found[0].text for found in self.candidates]

    @property
    def cut(self) -> int:
        """Count the texts whose best translation was cut."""
        return sum(found[0].is_cut for found in self.candidates)


def translate_texts(
    engine: SearchEngine, texts: Sequence[str], options: TranslateOptions
) -> Translated:
    """Translate texts, by default sentence by sentence as the endpoint does.

    Batches hold rows of similar length from all texts, so many texts at once are faster.
    """
    language = engine.card.source_language
    split = options.split_sentences
    documents = Documents.split(texts, language) if split else Documents.whole(texts, language)
    sentences = documents.sentences
    encoded = [engine.encode(sentence) for sentence in sentences]
    rows = [row for parts in encoded for row in parts]
    found = iter(_search_rows(engine, rows, options))
    translated = [
        _join_parts(engine, sentence, parts, [next(found) for _ in parts], options)
        for sentence, parts in zip(sentences, encoded, strict=True)
    ]
    candidates = list(_join_sentences(engine, documents, translated, options.candidates))
    return Translated(candidates, sum(map(len, rows)))


def _search_rows(
    engine: SearchEngine, rows: Sequence[Row], options: TranslateOptions
) -> list[list[Hypothesis]]:
    """Search the hypotheses of rows in batches of similar length under the token budget."""
    found: list[list[Hypothesis]] = [[] for _ in rows]
    # The candidates of several sentences are combined by their scores.
    count = options.candidates
    scored = options.scored or (count > 1 and options.sampling is None)
    budget = options.max_batch_tokens // (options.sampling.samples if options.sampling else 1)
    for batch in batches_by_length([len(row) for row in rows], budget):
        results = engine.search(
            [rows[index] for index in batch],
            Search(count=count),
            scored=scored,
            sampling=options.sampling,
        )
        for index, hypotheses in zip(batch, results, strict=True):
            found[index] = hypotheses
    return found


def _join_parts(
    engine: SearchEngine,
    sentence: str,
    rows: Sequence[Row],
    found: Sequence[Sequence[Hypothesis]],
    options: TranslateOptions,
) -> list[Candidate]:
    """Join the hypotheses of a sentence's parts to candidates of the sentence."""
    tokens = sum(map(len, rows))
    parts = [
        [
            # The characters of a part are not known any more, but its tokens are.
            _candidate(hypothesis, len(sentence) * len(row) // tokens, options.cut_endless)
            for hypothesis in hypotheses
        ]
        for row, hypotheses in zip(rows, found, strict=True)
    ]
    if len(parts) == 1:
        return parts[0]
    separator = sentence_separator(engine.card.target_language)
    return [
        _merge(separator.join(part.text for part in chosen), chosen)
        for chosen in best_combinations(parts, options.candidates)
    ]


def _candidate(hypothesis: Hypothesis, source_characters: int, may_cut: bool) -> Candidate:
    is_cut = may_cut and not hypothesis.is_complete
    text = cut_endless(hypothesis.text, source_characters) if is_cut else hypothesis.text
    return Candidate(text, hypothesis.tokens, hypothesis.log_probability, is_cut, hypothesis.score)


def _merge(text: str, parts: Sequence[Candidate]) -> Candidate:
    """Make the candidate of a text from those of its parts."""
    return Candidate(
        text,
        sum(part.tokens for part in parts),
        sum(part.log_probability for part in parts),
        any(part.is_cut for part in parts),
        sum(part.score for part in parts),
    )


def _join_sentences(
    engine: SearchEngine, documents: Documents, sentences: Sequence[list[Candidate]], count: int
) -> Iterator[list[Candidate]]:
    """Yield the candidates of each text, with the text between its sentences."""
    remaining = iter(sentences)
    target = engine.card.target_language
    for segments in documents.segments:
        own = [next(remaining) for segment in segments if segment.is_sentence]
        yield [
            _merge(join_segments(segments, (part.text for part in chosen), target), chosen)
            for chosen in best_combinations(own, count)
        ]


class _Scored(Protocol):
    """A candidate or a hypothesis, with what it is ranked by."""

    @property
    def score(self) -> float:
        """Return its score; the highest is the best."""
        ...


_ScoredT = TypeVar("_ScoredT", bound=_Scored)


def best_combinations(
    parts: Sequence[Sequence[_ScoredT]], count: int
) -> list[tuple[_ScoredT, ...]]:
    """Choose a candidate of each part in the ways with the highest sum of scores, best first."""
    if count == 1:
        return [tuple(found[0] for found in parts)]
    # The candidates of a single part keep the order of the search.
    if len(parts) == 1:
        return [(candidate,) for candidate in parts[0]]
    combined: list[tuple[float, tuple[_ScoredT, ...]]] = [(0.0, ())]
    for found in parts:
        grown = (
            (total + candidate.score, (*chosen, candidate))
            for total, chosen in combined
            for candidate in found
        )
        combined = heapq.nlargest(count, grown, key=lambda pair: pair[0])
    return [chosen for _, chosen in combined]
