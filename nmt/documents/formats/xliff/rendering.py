"""The texts of XLIFF as they are written into targets."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from nmt.documents.content import Code, Content
from nmt.documents.document import TranslatedSegment
from nmt.documents.formats.xliff.pieces import Draft, Template
from nmt.documents.formats.xml.edit import escape_text, without_forbidden
from nmt.documents.formats.xml.events import XmlSource

# What HTML would read as a tag or an entity.
_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY_START = re.compile(r"&(?=#|[A-Za-z][A-Za-z0-9]*;)")
_LONE_NEWLINE = re.compile(r"(?<!\r)\n")


class Renderer:
    """A writer of translated texts, in the way of one file."""

    def __init__(self, source: XmlSource) -> None:
        self._source = source
        # New text has the line breaks of the file.
        head = source.data[:65536]
        self._has_crlf = b"\r\n" in head and head.count(b"\n") == head.count(b"\r\n")

    def render(
        self, drafts: Sequence[Draft], translated: Sequence[TranslatedSegment]
    ) -> dict[Draft, str]:
        """Write texts with their translations."""
        rendered: dict[Draft, str] = {}
        # Texts inside codes come after the text that the code is in.
        for draft in reversed(drafts):
            content = translated[draft.index].content
            rendered[draft] = self._text(draft, content, rendered)
        return rendered

    def _text(self, draft: Draft, content: Content, rendered: Mapping[Draft, str]) -> str:
        """Write a text."""
        escapes = _escapes(draft.content)
        pieces: list[str] = []
        for piece in content:
            if isinstance(piece, Code) and piece in draft.holes:
                pieces.append(fill(draft.holes[piece], rendered))
            elif piece.raw is not None:
                pieces.append(piece.raw)
            else:
                pieces += self._new_text(draft, piece.text, escapes)
        text = "".join(pieces)
        return self._in_cdata(text) if draft.is_cdata else text

    def _new_text(self, draft: Draft, text: str, escapes: Mapping[str, str]) -> Iterator[str]:
        """Yield new text, escaped for its place."""
        if self._has_crlf:
            text = _LONE_NEWLINE.sub("\r\n", text)
        if draft.is_message and text.count("{") != text.count("}"):
            # A brace without its partner would break the message.
            text = text.replace("{", "").replace("}", "")
        for character, part in groupby(text, lambda each: each if each in escapes else ""):
            if character:
                yield from (escapes[each] for each in part)
                continue
            plain = without_forbidden("".join(part))
            if draft.is_markup:
                plain = _TAG_START.sub("&lt;", _ENTITY_START.sub("&amp;", plain))
            yield plain if draft.is_cdata else escape_text(plain)

    def _in_cdata(self, text: str) -> str:
        """Leave the CDATA section for what cannot be in it."""
        text = text.replace("]]>", "]]]]><![CDATA[>")
        if self._source.encoding.startswith("utf"):
            return text
        lacking = {each for each in set(text) if self._source.lacks(each)}
        return "".join(f"]]>&#{ord(each)};<![CDATA[" if each in lacking else each for each in text)


def fill(template: Template, rendered: Mapping[Draft, str]) -> str:
    """Write what is inside an element."""
    return "".join(part if isinstance(part, str) else rendered[part] for part in template)


def _escapes(content: Content) -> dict[str, str]:
    """Return the characters that the source always writes as one and the same reference."""
    found: dict[str, str] = {}
    others: set[str] = set()
    for piece in content:
        if isinstance(piece, Code):
            continue
        if len(piece.text) == 1 and piece.raw and piece.raw.startswith("&") and len(piece.raw) > 1:
            if found.setdefault(piece.text, piece.raw) != piece.raw:
                others.add(piece.text)
        else:
            others.update(piece.text)
    return {character: raw for character, raw in found.items() if character not in others}
