"""Translators of sentences without a model, each with a fault of its own, and tagged segments."""

import asyncio
import re
from collections.abc import Callable, Sequence

from nmt.decoding.settings import Search
from nmt.documents.content import Code, Content, Segment, Text
from nmt.documents.document import TranslatedSegment
from nmt.documents.translation.pipeline import TranslationOptions, translate_segments
from nmt.documents.translator import Candidate

Change = Callable[[str], str]

CHANGES: dict[str, Change] = {
    "identity": lambda sentence: sentence,
    "upper": str.upper,
    "brackets": lambda sentence: f"⟦{sentence}⟧",
    "turned": lambda sentence: " ".join(reversed(sentence.split())),
    "every second word": lambda sentence: " ".join(sentence.split()[::2]),
    "twice": lambda sentence: f"{sentence} {sentence}",
    "markup": lambda sentence: '"</b>|\n* {name} %s &lt;',
    "nothing": lambda sentence: "",
    "no digits": lambda sentence: re.sub(r"\d", "", sentence),
    "Tamil digits": lambda sentence: re.sub(r"\d", lambda d: chr(0xBE6 + int(d[0])), sentence),
    "endings": lambda sentence: re.sub(r"(\d+)", r"\1-ஐ", sentence),
}

_TAG = re.compile(r"(<[^<>]*>)")


class FakeTranslator:
    """A translator of sentences that remembers what it was asked."""

    def __init__(self, change: Change, *others: Change) -> None:
        """Take the change that makes the translation, and those of further candidates."""
        self._changes = (change, *others)
        self.calls: list[tuple[list[str], Search]] = []

    async def __call__(
        self, sentences: Sequence[str], search: Search
    ) -> Sequence[Sequence[Candidate]]:
        """Translate sentences."""
        self.calls.append((list(sentences), search))
        return [
            [Candidate(change(sentence), 0.9) for change in self._changes[: search.count]]
            for sentence in sentences
        ]


def translate(
    segments: Sequence[Segment],
    translator: FakeTranslator | Change,
    options: TranslationOptions | None = None,
) -> list[TranslatedSegment]:
    """Translate segments from English to Tamil."""
    if not isinstance(translator, FakeTranslator):
        translator = FakeTranslator(translator)
    options = options or TranslationOptions("eng_Latn", "tam_Taml")
    return asyncio.run(translate_segments(segments, translator, options))


def segment(tagged: str, *, is_wrapped: bool = True) -> Segment:
    """Make a segment of a text with tags.

    `<a>` needs the right place, `<img>` is a word, `<br>` a break, `<x/>` a point, and any other
    tag opens or closes. `&nbsp;`, `&eacute;` and `&amp;` are escapes.
    """
    content: list[Text | Code] = []
    opened: list[tuple[str, int]] = []
    for number, part in enumerate(_TAG.split(tagged)):
        name = part.strip("</>")
        if not _TAG.fullmatch(part):
            content += _texts(part)
        elif part == "<br>":
            content.append(Code(part, "break"))
        elif part.startswith("<img"):
            content.append(Code(part, "word"))
        elif part.endswith("/>"):
            content.append(Code(part, "point"))
        elif part.startswith("</"):
            pair = opened.pop()[1] if opened and opened[-1][0] == name else None
            content.append(Code(part, "close", pair, is_exact=name == "a"))
        else:
            opened.append((name, number))
            content.append(Code(part, "open", number, is_exact=name == "a"))
    return Segment("p", tuple(content), is_wrapped)


def written(content: Content) -> str:
    """Write a content as its format would, with nothing to escape."""
    pieces = (p.raw if isinstance(p, Code) or p.raw is not None else p.text for p in content)
    return "".join(map(str, pieces))


def _texts(text: str) -> list[Text]:
    escapes = {"&nbsp;": "\u00a0", "&eacute;": "é", "&amp;": "&"}
    parts = re.split(f"({'|'.join(escapes)})", text)
    return [Text(escapes.get(part, part), part) for part in parts if part]
