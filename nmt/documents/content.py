"""The content of a segment: text and inline codes."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

CodeKind = Literal["open", "close", "point", "word", "break"]


# No class here is frozen, although nothing changes an object once a document is read: a long page
# has a million of them, and a frozen one takes almost three times as long to make.
@dataclass(slots=True, unsafe_hash=True)
class Text:
    """A piece of text, as people read it: escapes of the format are resolved.

    A piece whose `raw` differs from its `text` is a single character, or an escape that cannot be
    divided; any other piece may be cut anywhere.
    """

    text: str
    raw: str | None = None
    """What the source has for it, to be written as it is; None for new text, which the format
    escapes."""


# Compared by identity: two tags may be equal, and each has its own place.
@dataclass(slots=True, eq=False)
class Code:
    """An inline code, which is never translated, lost, doubled or changed."""

    raw: str
    """What the source has for it."""
    kind: CodeKind
    """`open` and `close` surround text, `point` marks a place without a width, `word` is read as
    a word of the sentence, such as a code span or an image, and `break` ends a sentence."""
    pair: int | None = None
    """Number that an `open` code and its `close` code share within a segment; None for others, and
    for an `open` or `close` code that is alone."""
    is_exact: bool = False
    """Whether its place must be right, as that of a link, even if the sentence is cut for it."""


Content = tuple[Text | Code, ...]


@dataclass(slots=True, unsafe_hash=True)
class Segment:
    """A text of a document that is translated as a whole, such as a paragraph or a cell."""

    path: str
    """Where it is, for people, such as `line 12`, `p[3]` or `/menu/title`."""
    content: Content
    is_wrapped: bool = True
    """Whether a line break is just white space; if not, it ends a sentence."""
    positional: bool = False
    """Whether placeholders such as `%s` are filled by position, so that they must keep their order
    (always true of plain `%s`, `%d` and `{}`; set if the format knows of more)."""


def plain_text(content: Content) -> str:
    """Join the texts of a content, without its codes."""
    if len(content) == 1 and isinstance(content[0], Text):  # as of most texts
        return content[0].text
    return "".join(piece.text for piece in content if isinstance(piece, Text))


def codes_of(content: Content) -> Counter[Code]:
    """Count the codes of a content, each of which has to be there once."""
    # By identity: equal codes may have been exchanged, but each has to be there.
    return Counter(piece for piece in content if isinstance(piece, Code))
