"""Writing translated texts as HTML."""

import html
import re
from collections.abc import Mapping

from nmt.documents.content import Code, Content, Text

_UNFINISHED = re.compile(r"(?:&(?:#[xX]?)?[A-Za-z0-9]*|<)$")
"""The end of a text that could become an escape or a tag, with what follows."""
_AMPERSAND = re.compile(r"&(?=[A-Za-z#])")
_TAG_START = re.compile(r"<(?=[A-Za-z/!?0-9%#@])")
_TEMPLATE = re.compile(r"\{(?=[{%#])")
_LONGEST_REFERENCE = 40
_QUOTES = {'"': "&quot;", "'": "&#39;"}
_NOTHING: Mapping[Code, str] = {}


class Writer:
    """What writes the translations of one text.

    It takes over the escapes of the source: if that writes `&nbsp;`, so does the translation.

    Args:
        source: the text.
        quote: the sign around the value of an attribute; None outside one.
        is_string: whether the text is a string of another format. Then it may not be known whether
            it is HTML, so signs are escaped only where they would be read as a tag or an escape.
    """

    def __init__(
        self, source: Content, *, quote: str | None = None, is_string: bool = False
    ) -> None:
        escapes = {} if is_string else {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
        if quote:
            escapes[quote] = _QUOTES[quote]
        escapes |= _own_escapes(source)
        self._escapes = str.maketrans(escapes)
        self._has_own_ampersand = "&" in escapes
        self._has_own_less = "<" in escapes
        self._is_string = is_string

    def write(self, content: Content, tags: Mapping[Code, str] = _NOTHING) -> str:
        """Write a translation.

        Args:
            content: the translation.
            tags: the codes that are to be written in another way than in the source.
        """
        written: list[str] = []
        for piece in content:
            if isinstance(piece, Code):
                written.append(tags.get(piece, piece.raw))
            elif piece.raw is None:
                written.append(self._escape(piece.text))
            else:
                written.append(self._kept(piece.text, piece.raw))
        return "".join(written)

    def _kept(self, text: str, raw: str) -> str:
        """Return what the source has, unless its meaning could change with what follows."""
        if "&" not in raw and "<" not in raw:
            return raw
        if raw != text:
            return raw if raw[-1] == ";" else self._escape(text)
        last = _UNFINISHED.search(raw)
        return raw[: last.start()] + html.escape(last.group(), quote=False) if last else raw

    def _escape(self, text: str) -> str:
        if self._is_string:
            if not self._has_own_ampersand:
                text = _AMPERSAND.sub(_escaped_ampersand, text)
            if not self._has_own_less:
                text = _TAG_START.sub("&lt;", text)
            return text.translate(self._escapes)
        # A model must not invent instructions for a template language.
        return _TEMPLATE.sub("&#123;", text.translate(self._escapes))


def _own_escapes(source: Content) -> dict[str, str]:
    """Map characters to the escapes that a text has for them."""
    return {
        piece.text: piece.raw
        for piece in source
        if isinstance(piece, Text)
        and piece.raw != piece.text
        and piece.raw is not None
        and piece.raw[-1] == ";"
        and len(piece.text) == 1
        and not (piece.text.isascii() and piece.text.isalnum())
        and piece.text not in " ;#"
    }


def _escaped_ampersand(match: re.Match[str]) -> str:
    start = match.start()
    following = match.string[start : start + _LONGEST_REFERENCE]
    return "&" if html.unescape(following).startswith(following[:2]) else "&amp;"
