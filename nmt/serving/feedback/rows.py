"""The rows of feedback, and the folders in which they are."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from nmt.languages import resolve_language
from nmt.runs import layout
from nmt.storage import Storage

Kind = Literal["corrections", "ratings"]
Rating = Literal["good", "bad"]
SUFFIX = ".jsonl"


class Feedback(BaseModel):
    """What a person says about one translation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """Of the feedback; the rows of one text with several lines share it."""
    time: datetime
    kind: Kind
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    source: str
    """The text that was translated, or one of its lines."""
    target: str
    """The correction; of a rating, the translation itself."""
    translation: str
    """What the engine made of the source."""
    engine: str
    """Digest of the engine."""
    domain: str | None = None
    rating: Rating | None = None
    request_id: str | None = None
    """Of the request that translated the text."""
    key: str = ""
    """Id of the API key, which is not secret."""

    def lines(self) -> Iterator[Self]:
        """Yield a row for each line, if all three texts have equally many of them; else itself."""
        texts = [
            [line.strip() for line in text.splitlines()]
            for text in (self.source, self.target, self.translation)
        ]
        if len({len(lines) for lines in texts}) > 1:
            yield self
            return
        for source, target, translation in zip(*texts, strict=True):
            if source and target:
                texts_of_line = {"source": source, "target": target, "translation": translation}
                yield self.model_copy(update=texts_of_line)

    def dump(self) -> bytes:
        """Write the row as a line of JSON Lines."""
        values = self.model_dump(mode="json", exclude_none=True)
        return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def folder(endpoint: str, kind: Kind, source_language: str, target_language: str) -> str:
    """Return the folder of the rows of one language pair, which `data.path` may name."""
    # Like the key of a route, so that people recognise the pair.
    return f"{layout.feedback(endpoint)}/{kind}/{source_language}-{target_language}"


def read_rows(storage: Storage, endpoint: str, kind: Kind) -> Iterator[Feedback]:
    """Read all rows of one kind, by language pair and in the order of their files.

    Raises:
        StorageError: a file cannot be read.
    """
    root = f"{layout.feedback(endpoint)}/{kind}"
    for pair in sorted(storage.list(root)):
        if not _is_pair(pair):
            continue
        for name in sorted(storage.list(f"{root}/{pair}")):
            if name.endswith(SUFFIX):
                content = storage.read_bytes(f"{root}/{pair}/{name}")
                yield from map(Feedback.model_validate_json, content.splitlines())


def _is_pair(name: str) -> bool:
    """Tell whether a folder is that of a language pair."""
    codes = name.split("-")
    try:
        return len(codes) == 2 and [resolve_language(code) for code in codes] == codes
    except ValueError:
        return False
