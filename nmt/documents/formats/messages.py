"""Strings of programs: what of a message is text, and what is markup or for the program."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal

from nmt.documents.content import Code, Content, Text, plain_text
from nmt.documents.formats.html.strings import inline_content, inline_text
from nmt.documents.formats.icu import IS_MESSAGE, find_message_texts
from nmt.documents.formats.limits import MAX_CODES, check_code_count

_MAY_HAVE_MARKUP = re.compile(r"[<&]|\{[{%]")
# References to other strings, and placeholders of which only the braces look like a placeholder.
_REFERENCE = re.compile(r"\$t\([^()\n]{1,200}\)|[%#]\{\w{1,60}\}")
_ARGUMENT = re.compile(r"\{\s*+[\w.-]++\s*+(?:,[^{}]*+)?\}")
_PLURAL_PART = re.compile(rf"#|{_ARGUMENT.pattern}")
_MAY_HAVE_MARKS = re.compile(r"[`\[*_~$%#]")
_SIGNS = frozenset("…•·←→↑↓↗⇒«»‹›✓✔▲▼►◄|")
_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
_MARKDOWN = re.compile(
    r"""(?P<code>(?P<ticks>`{1,2})(?!`)[^`\n]{1,300}(?P=ticks)(?!`))
    | (?P<link>!?\[)(?P<label>[^\[\]\n]{1,500})
      (?P<target>\]\([^()\s]{1,500}(?:\s"[^"\n]{0,200}")?\))
    | (?P<mark>\*\*|__|~~|(?<![\w*])\*(?!\*)|(?<!\w)_(?!_))(?=[^\s*_~])
      (?P<marked>[^*_~\n]{1,300})(?<=\S)(?P=mark)(?![\w*])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Message:
    """A string of a program, divided into text and codes."""

    content: Content
    """Its `raw`, joined, is the string."""
    kind: Literal["icu", "html", "text"]

    def escape(self, text: str, *, is_before_code: bool = False) -> str:
        """Escape new text so that it is read as text in such a string."""
        if self.kind == "icu":
            return _escape_icu(text, self.content, is_before_code)
        if self.kind == "html":
            return inline_text(self.content, (Text(text),))
        # A program may show the string as HTML, so a tag must not come in. To escape it would be
        # wrong if the program does not.
        return _TAG_START.sub("‹", text)


def read_message(text: str) -> Message | None:
    """Divide a string of a program.

    Returns:
        The message; None if it has to stay as it is.
    """
    if "{" in text and IS_MESSAGE.search(text):
        content = _icu_content(text)
        return Message(content, "icu") if content else None
    if _MAY_HAVE_MARKUP.search(text):
        return Message(_limited(_inline(_with_signs(inline_content(text)))), "html")
    if not _MAY_HAVE_MARKS.search(text):
        return Message((Text(text, text),), "text")
    # Values of content systems are often Markdown, and text in the sense of HTML too.
    return Message(_limited(_inline((Text(text, text),))), "text")


def _icu_content(text: str) -> Content | None:
    """Divide an ICU message into the texts of its choices and the rest."""
    texts = find_message_texts(text)
    if texts is None:
        return None
    pieces: list[Text | Code] = []
    at = 0
    for part in texts:
        inner = text[part.start : part.end]
        if at < part.start:
            # Each choice is a sentence of its own, in its own place.
            pieces.append(Code(text[at : part.start], "break"))
        pieces += _divided(inner, _PLURAL_PART if part.is_plural else _ARGUMENT)
        at = part.end
    if at < len(text):
        pieces.append(Code(text[at:], "break"))
    return tuple(pieces)


def _with_signs(content: Content) -> Content:
    """Turn the signs that a message writes as entities into codes."""
    # A model drops an arrow or dots; they are between sentences or beside them.
    return tuple(
        Code(piece.raw, "break")
        if isinstance(piece, Text) and piece.raw and piece.raw[0] == "&" and piece.text in _SIGNS
        else piece
        for piece in content
    )


def _divided(text: str, pattern: re.Pattern[str]) -> Iterator[Text | Code]:
    """Yield a text, with what the pattern finds as codes."""
    at = 0
    for match in pattern.finditer(text):
        if at < match.start():
            yield Text(text[at : match.start()], text[at : match.start()])
        # An argument of an ICU message keeps its place: behind a word, it would look like the name
        # of a choice.
        yield Code(match[0], "break" if match[0][0] == "{" else "word")
        at = match.end()
    if at < len(text):
        yield Text(text[at:], text[at:])


def _inline(content: Content) -> Iterator[Text | Code]:
    """Find references and the inline marks of Markdown in the texts of a content."""
    numbers = count(1 + max((p.pair or 0 for p in content if isinstance(p, Code)), default=0))
    for piece in content:
        if isinstance(piece, Code) or piece.text != piece.raw:
            yield piece
            continue
        for part in _divided(piece.text, _REFERENCE):
            if isinstance(part, Code):
                yield part
            else:
                yield from _markdown(part.text, numbers)


def _limited(content: Iterator[Text | Code]) -> Content:
    """Return a content, unless it has too many codes."""
    pieces: list[Text | Code] = []
    codes = 0
    for piece in content:
        codes += isinstance(piece, Code)
        if codes > MAX_CODES:
            check_code_count(codes, repr(plain_text(tuple(pieces[:1]))))
        pieces.append(piece)
    return tuple(pieces)


def _markdown(text: str, numbers: Iterator[int]) -> Iterator[Text | Code]:
    """Yield a text with code spans, links and emphasis of Markdown as codes."""
    at = 0
    for match in _MARKDOWN.finditer(text):
        if at < match.start():
            yield Text(text[at : match.start()], text[at : match.start()])
        at = match.end()
        if match["code"]:
            yield Code(match["code"], "word")
            continue
        number, is_link = next(numbers), match["link"] is not None
        inner = match["label"] or match["marked"]
        yield Code(match["link"] or match["mark"], "open", number, is_link)
        yield Text(inner, inner)
        yield Code(match["target"] or match["mark"], "close", number, is_link)
    if at < len(text):
        yield Text(text[at:], text[at:])


def _escape_icu(text: str, source: Content, is_before_code: bool) -> str:
    """Escape new text for an ICU message."""
    if "''" in plain_text(source):
        text = text.replace("'", "''")
    elif is_before_code and text.endswith("'"):
        # An apostrophe in front of a brace would quote it.
        text += "'"
    return re.sub(r"[{}#]+", lambda match: f"'{match[0]}'", text)
