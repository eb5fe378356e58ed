"""Pairs from chat messages: the user's text and the answer of the assistant."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, cast

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import BadRow, RawPair
from nmt.data.formats.tables.columns import Columns

log = logging.getLogger(__name__)

CHAT_COLUMNS = Columns("user", "assistant")
# OpenAI says `messages` and `role`, ShareGPT `conversations` and `from`.
_LISTS = ("messages", "conversations")
_USER = frozenset({"user", "human"})
_ASSISTANT = frozenset({"assistant", "gpt", "model"})
_WITH_INSTRUCTION = frozenset({CHAT_COLUMNS.source, "prompt"})
_SAMPLE = 100
_MIN_SAMPLE = 3
"""Minimum number of texts whose common beginning is taken for an instruction."""
_INSTRUCTION = re.compile(r".*[:\n]\s*", re.DOTALL)
"""Beginning of a text up to its last colon or line end."""

_Found = tuple[Columns, RawPair] | BadRow


def chat_turns(record: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    """Return each user message with the answer to it; None if the record is not a chat."""
    messages = next((record[key] for key in _LISTS if isinstance(record.get(key), list)), None)
    if messages is None:
        return None
    turns: list[tuple[str, str]] = []
    question: str | None = None
    for message in cast(list[object], messages):
        role, text = _role(message), _content(message)
        # Other roles, such as `system`, say what to do and hold no text to translate.
        if role in _USER:
            question = text
        elif role in _ASSISTANT and question is not None and text is not None:
            turns.append((question, text))
            # A second answer, as after a call of a tool, is not to the same text.
            question = None
    return turns


def last_content(value: object) -> str | None:
    """Return the text of the last message in a list; None if it is not a list of messages."""
    messages = cast(list[object], value) if isinstance(value, list) else []
    return _content(messages[-1]) if messages else None


def remove_instructions(rows: Iterable[_Found], corpus: Corpus) -> Iterator[_Found]:
    """Remove a text around the sentence that every user message has, such as `Translate:`."""
    rows = iter(rows)
    first: list[_Found] = []
    sources: list[str] = []
    for row in rows:
        first.append(row)
        if not isinstance(row, BadRow):
            # Other records than chats are passed on at once.
            if row[0].source not in _WITH_INSTRUCTION:
                break
            sources.append(row[1].source)
        if len(first) == _SAMPLE:
            break
    before, after = _instruction(sources)
    if not before and not after:
        yield from chain(first, rows)
        return
    log.warning("%s: removed from the user's messages: %r, %r", corpus.path, before, after)
    for row in chain(first, rows):
        if isinstance(row, BadRow):
            yield row
        else:
            columns, pair = row
            source = pair.source.removeprefix(before).removesuffix(after)
            yield columns, pair._replace(source=source)


def _instruction(texts: Sequence[str]) -> tuple[str, str]:
    """Find the text before and after the sentence, which is the same in all texts."""
    # One sentence many times would look like an instruction.
    if len(texts) < _MIN_SAMPLE or len(set(texts)) == 1:
        return "", ""
    found = _INSTRUCTION.match(_shared_beginning(texts))
    ending = _shared_beginning([text[::-1] for text in texts])[::-1]
    return found[0] if found else "", ending[ending.index("\n") :] if "\n" in ending else ""


def _shared_beginning(texts: Sequence[str]) -> str:
    # In sorted order, the first and the last text differ the earliest.
    first, last = min(texts), max(texts)
    end = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:end]


def _role(message: object) -> str:
    if not isinstance(message, Mapping):
        return ""
    values = cast(Mapping[str, object], message)
    return str(values.get("role") or values.get("from") or "").casefold()


def _content(message: object) -> str | None:
    """Return the text of a message, which may be in parts; None if it has none."""
    if not isinstance(message, Mapping):
        return None
    values = cast(Mapping[str, object], message)
    content = values.get("content", values.get("value"))
    if isinstance(content, str):
        return content
    parts = cast(list[object], content) if isinstance(content, list) else []
    texts = [
        str(cast(Mapping[str, object], part).get("text", ""))
        for part in parts
        if isinstance(part, Mapping)
    ]
    return "".join(texts) if texts else None
