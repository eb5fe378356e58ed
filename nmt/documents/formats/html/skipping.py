"""Elements that are left as they are, with everything in them."""

from collections import defaultdict
from typing import Literal

from turbohtml import Token

from nmt.documents.content import CodeKind
from nmt.documents.formats.html.elements import CONTAINERS, ENDED_BY, KINDS, VOID
from nmt.documents.formats.html.tokens import END, START, TEXT

Ending = Literal["before", "after"]


class Skipped:
    """An element that is left as it is, until its end is found.

    Its end tag may be missing: then the start of another element ends it, or the end of the one
    around it.
    """

    def __init__(self, tag: str, start: int, *, is_word: bool = False) -> None:
        self.start = start
        self._kind = "opaque_inline" if is_word else KINDS.get(tag)
        self._has_text = False
        self.tag = tag
        self._inside: defaultdict[str, int] = defaultdict(int)

    @property
    def is_inline(self) -> bool:
        """Tell whether it is part of a sentence."""
        return self._kind in ("inline", "opaque_inline", "image", "break", "point")

    @property
    def code_kind(self) -> CodeKind:
        """Return the kind of its code."""
        if not self.is_inline:
            return "break"
        return "point" if self._kind == "inline" and not self._has_text else "word"

    def ending(self, token: Token) -> Ending | None:
        """Take the next token, and tell whether the element ends before or after it, if so."""
        tag = token.tag
        if tag is None:
            self._has_text = self._has_text or token.type is TEXT
        elif token.type is START:
            if self._is_ended_by_start_of(tag):
                return "before"
            if tag not in VOID and not token.self_closing:
                self._inside[tag] += 1
        elif token.type is END:
            return self._end(tag)
        return None

    def _end(self, tag: str) -> Ending | None:
        if self._inside[tag]:
            self._inside[tag] -= 1
            return None
        if tag == self.tag:
            return "after"
        # The end of an inline element that is not open is a mistake, and so without effect.
        return "before" if KINDS.get(tag, "page") == "page" else None

    def _is_ended_by_start_of(self, tag: str) -> bool:
        if tag not in ENDED_BY.get(self.tag, ()):
            return False
        return self.tag == "p" or not any(self._inside[name] for name in CONTAINERS)
