"""What the content of XLIFF consists of, before it becomes segments."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from nmt.documents.content import Code, CodeKind, Content, Text


class CdataText(Text):
    """Text of a CDATA section that is beside other text, which is written with escapes."""


@dataclass(slots=True, eq=False)
class Draft:
    """A text that may become a segment."""

    content: Content
    is_cdata: bool = False
    """Whether it is inside a CDATA section, where nothing is escaped."""
    is_markup: bool = False
    """Whether it has tags or entities of HTML, as text."""
    is_message: bool = False
    """Whether it is a part of an ICU message, where braces count."""
    holes: dict[Code, "Template"] = field(default_factory=dict)
    """The parts of codes that have a text inside."""
    index: int = -1
    """Of its segment; -1 if it has none."""


Template = list[str | Draft]
"""What is inside an element: markup as it is, and texts."""


@dataclass(slots=True, eq=False)
class Mark:
    """An inline code, before its partner is known."""

    raw: str
    kind: CodeKind
    key: Hashable = None
    """What an opening and its closing code have in common; None without a partner."""
    is_exact: bool = False
    holes: "Template" = field(default_factory=list)
    """Its parts, if some of them are texts of their own."""


Piece = Text | Mark
