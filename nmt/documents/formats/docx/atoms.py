"""What a paragraph of DOCX is made of."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from nmt.documents.content import CodeKind
from nmt.documents.formats.docx.run_format import PLAIN, RunFormat

_TRANSLATED_FIELDS = frozenset({"HYPERLINK", "TOC", "QUOTE"})
_BREAKS = frozenset({"w:tab", "w:ptab", "w:br", "w:cr"})
_WORDS = frozenset({"w:sym", "w:ruby", "w:fldSimple", "m:oMath", "m:oMathPara"})


@dataclass(slots=True, eq=False)
class Field:
    """A field, such as a page number or a link: a code, and a result that is shown."""

    instruction: str = ""
    has_result: bool = False

    @property
    def is_translated(self) -> bool:
        """Tell whether its result is text of the document."""
        return self.has_result and is_translated_field(self.instruction)


def is_translated_field(instruction: str) -> bool:
    """Tell whether the result of a field is text of the document, by its code."""
    words = instruction.split(maxsplit=1)
    return bool(words) and words[0].upper() in _TRANSLATED_FIELDS


AtomKind = Literal["text", "code", "open", "close"]


@dataclass(slots=True, eq=False)
class Atom:
    """A stretch of text with the same properties, or another element."""

    kind: AtomKind
    """`open` and `close` are tags around runs, such as those of a link."""
    start: int
    """In the part."""
    end: int
    name: str = ""
    """Of the element."""
    format: RunFormat | None = None
    """Of its run; None outside runs."""
    texts: list[tuple[str, str]] = field(default_factory=list)
    """Pieces of text, each as people read it and as the file has it."""
    field: Field | None = None
    """The field that it is a part of, unless it is in a result that is translated."""
    ends_field: bool = False
    is_inline_picture: bool = False

    @property
    def text(self) -> str:
        """Return its text."""
        return "".join(text for text, _ in self.texts)


@dataclass(slots=True)
class Item:
    """Text, or a code of one or several atoms."""

    kind: AtomKind
    atoms: list[Atom]
    code_kind: CodeKind = "point"
    key: object = None
    """What an opening and a closing code have in common."""

    @property
    def format(self) -> RunFormat:
        """Return the properties of its text."""
        return self.atoms[0].format or PLAIN


def group(atoms: list[Atom]) -> Iterator[Item]:
    """Yield the items of a paragraph: a field is one code, or two around its result."""
    number = 0
    while number < len(atoms):
        atom = atoms[number]
        part = [atom]
        number += 1
        if atom.field is None:
            yield _item(atom)
            continue
        while number < len(atoms) and _continues(atom, atoms[number]):
            part.append(atoms[number])
            number += 1
        if atom.field.is_translated:
            kind: CodeKind = "close" if atom.ends_field else "open"
            yield Item("code", part, kind, atom.field)
        else:
            yield Item("code", part, "word" if atom.field.has_result else "point")


def _continues(first: Atom, other: Atom) -> bool:
    """Tell whether an atom belongs to the same code as the first one."""
    return other.field is first.field and (
        first.ends_field == other.ends_field or not (first.field and first.field.is_translated)
    )


def _item(atom: Atom) -> Item:
    """Make an item of an atom that is not part of a field."""
    if atom.kind != "code":
        return Item(atom.kind, [atom])
    kind: CodeKind = "point"
    if atom.name in _BREAKS:
        kind = "break"
    elif atom.name in _WORDS or atom.is_inline_picture:
        kind = "word"
    return Item("code", [atom], kind)
