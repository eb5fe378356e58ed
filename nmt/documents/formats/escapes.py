"""Escapes of a text, which its translation takes over."""

import re
from collections import Counter, deque
from collections.abc import Iterator

from nmt.documents.content import Content, Text

REPLACED = str.maketrans(dict.fromkeys("\0\ufdd0\ufdd1", "\ufffd"))
"""Characters that no text can have: parsers refuse or change them, or our readers use them."""
_NEVER = frozenset(" ")
"""Characters that are written as they are, whatever the source does."""


class OwnEscapes:
    """How a text writes characters, for a translation that is to write them alike.

    A character that the text always writes as the same escape is written so. One that it writes in
    several ways is written in the same order, if the translation has it as often.

    Args:
        source: the text.
        translated: its translation.
    """

    def __init__(self, source: Content, translated: Content) -> None:
        escaped = {
            piece.text
            for piece in source
            if isinstance(piece, Text) and piece.raw != piece.text and _is_taken_over(piece)
        }
        self._forms: dict[str, deque[str]] = {}
        if not escaped:
            return
        self._pattern = re.compile(f"[{re.escape(''.join(sorted(escaped)))}]")
        forms: dict[str, list[str]] = {character: [] for character in escaped}
        for character, raw in self._occurrences(source):
            forms[character].append(raw)
        counts = Counter(character for character, _ in self._occurrences(translated))
        for character, raws in forms.items():
            count = counts[character]
            if len(raws) == count:
                self._forms[character] = deque(raws)
            elif len(set(raws)) == 1:
                self._forms[character] = deque(raws[:1] * count)

    @property
    def characters(self) -> str:
        """Return the characters that have escapes."""
        return "".join(self._forms)

    def take(self, character: str) -> str | None:
        """Return the escape of the next such character of the translation, if it has one."""
        forms = self._forms.get(character)
        form = forms.popleft() if forms else None
        return None if form == character else form

    def skip(self, text: str) -> None:
        """Pass over a text of the translation that is written as in the source."""
        if self._forms:
            for match in self._pattern.finditer(text):
                self.take(match.group())

    def _occurrences(self, content: Content) -> Iterator[tuple[str, str]]:
        """List the characters that have an escape somewhere, with how each is written."""
        for piece in content:
            if not isinstance(piece, Text):
                continue
            if piece.raw is None or piece.raw == piece.text:
                yield from ((m.group(), m.group()) for m in self._pattern.finditer(piece.text))
            elif self._pattern.fullmatch(piece.text):
                yield piece.text, piece.raw


def _is_taken_over(piece: Text) -> bool:
    character = piece.text
    if len(character) != 1 or character in _NEVER:
        return False
    # An escape for a letter is a whim, and white space with another source is a line break.
    return not (character.isascii() and (character.isalnum() or character.isspace()))
