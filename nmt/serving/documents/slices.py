"""The sentences of a document that are translated, as files of a few hundred of them."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from nmt.decoding.settings import Search
from nmt.documents.translator import Candidate


class Asked(NamedTuple):
    """A sentence, and how it is searched."""

    sentence: str
    search: Search


Answers = Mapping[Asked, tuple[Candidate, ...]]
"""The candidates of each sentence, the best first."""


def dump_slice(answers: Answers) -> bytes:
    """Write translated sentences as JSON."""
    rows = [
        [
            asked.sentence,
            [asked.search.count, asked.search.beam_size, asked.search.no_repeat_ngram_size],
            [[each.text, each.confidence, each.is_complete] for each in candidates],
        ]
        for asked, candidates in answers.items()
    ]
    # With escapes: a model may give half of a surrogate pair.
    return json.dumps(rows).encode()


def parse_slice(content: bytes) -> Answers:
    """Read translated sentences, as `dump_slice` writes them."""
    rows: list[Any] = json.loads(content)
    return {
        Asked(sentence, Search(*search)): tuple(Candidate(*each) for each in candidates)
        for sentence, search, candidates in rows
    }
