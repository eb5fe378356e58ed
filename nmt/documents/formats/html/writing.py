"""Writing translated texts as HTML."""

import html
import re
from collections.abc import Mapping

from nmt.documents.content import Code, Content
from nmt.documents.formats.escapes import OwnEscapes

_UNFINISHED = re.compile(r"(?:&(?:#[xX]?)?[A-Za-z0-9]*|<)$")
"""The end of a text that could become an escape or a tag, with what follows."""
_CONTINUES = re.compile(r"[A-Za-z0-9#;/!?]")
_SIGNS = "&<>\"'{\0\ufdd0\ufdd1"
_SIGN = re.compile(f"[{_SIGNS}]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_QUOTES = {'"': "&quot;", "'": "&#39;"}
# Characters that HTML, or the reader, does not allow in a text.
_REPLACED = {"\0": "\ufffd", "\ufdd0": "\ufffd", "\ufdd1": "\ufffd"}
_AFTER_TEMPLATE = ("{", "%", "#")
_LONGEST_REFERENCE = 40
_STARTS_TAG = re.compile(r"<[A-Za-z/!?0-9%#@]")
_NOTHING: Mapping[Code, str] = {}


class Writer:
    """What writes a translation of one text.

    Args:
        source: the text, whose escapes the translation takes over: where it has `&nbsp;`, the
            translation has it too.
        translated: the translation.
        quote: the sign around the value of an attribute; None outside one.
        is_string: whether the text is a string of another format. Then it may not be known whether
            it is HTML, so signs are escaped only where they would be read as a tag or an escape.
    """

    def __init__(
        self,
        source: Content,
        translated: Content,
        *,
        quote: str | None = None,
        is_string: bool = False,
    ) -> None:
        self._translated = translated
        self._own = OwnEscapes(source, translated)
        own = self._own.characters
        self._sign = re.compile(f"[{_SIGNS}{re.escape(own)}]") if own else _SIGN
        self._quote = quote
        self._is_string = is_string

    def write(self, tags: Mapping[Code, str] = _NOTHING) -> str:
        """Write the translation.

        Args:
            tags: the codes that are to be written in another way than in the source.
        """
        written: list[str] = []
        for number, piece in enumerate(self._translated, 1):
            if isinstance(piece, Code):
                written.append(tags.get(piece, piece.raw))
            elif piece.raw is None:
                written.append(self._escape(piece.text))
            else:
                self._own.skip(piece.text)
                following = self._translated[number : number + 1]
                written.append(self._kept(piece.text, piece.raw, following))
        return "".join(written)

    def _kept(self, text: str, raw: str, following: Content) -> str:
        """Return what the source has, unless its meaning changes with what follows."""
        if ("&" not in raw and "<" not in raw) or not following or isinstance(following[0], Code):
            return raw
        if raw != text:
            return raw if raw[-1] == ";" else self._escape(text)
        last = _UNFINISHED.search(raw)
        if last is None or not _CONTINUES.match(following[0].text):
            return raw
        return raw[: last.start()] + html.escape(last.group(), quote=False)

    def _escape(self, text: str) -> str:
        """Write new text."""
        return self._sign.sub(self._written_sign, text)

    def _written_sign(self, match: re.Match[str]) -> str:
        sign, text, end = match.group(), match.string, match.end()
        own = self._own.take(sign)
        if own is not None:
            return own
        if sign in _REPLACED:
            return _REPLACED[sign]
        if sign in _QUOTES:
            return _QUOTES[sign] if sign == self._quote else sign
        if self._is_string:
            return _ESCAPES[sign] if _is_markup(text, match.start()) else sign
        # A model must not invent instructions for a template language.
        if sign == "{" and (end == len(text) or text.startswith(_AFTER_TEMPLATE, end)):
            return "&#123;"
        return _ESCAPES.get(sign, sign)


def _is_markup(text: str, at: int) -> bool:
    """Tell whether a sign in a text would be read as a tag or an escape."""
    if text[at] == "<":
        return _STARTS_TAG.match(text, at) is not None
    following = text[at : at + _LONGEST_REFERENCE]
    return text[at] == "&" and not html.unescape(following).startswith(following[:2])
