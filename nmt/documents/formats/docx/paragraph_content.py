"""The content of a paragraph, in which links and differences of format are codes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from nmt.documents.content import Code, CodeKind, Content, Text
from nmt.documents.formats.docx.atoms import Atom, Item, group
from nmt.documents.formats.docx.paragraph_reader import Paragraph
from nmt.documents.formats.docx.run_format import PLAIN, RunFormat
from nmt.documents.formats.limits import check_code_count
from nmt.documents.formats.pairing import find_pairs

_LINKS = frozenset({"w:hyperlink", "w:fldSimple"})

Action = Literal["put", "enter", "leave", "begin_format", "end_format"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a code does when the paragraph is written."""

    action: Action
    """`put` elements; `enter` or `leave` an element around runs; begin or end another format."""
    atoms: Sequence[Atom] = ()
    format: RunFormat = PLAIN
    """Of the text that follows `enter` or `begin_format`."""


@dataclass(slots=True)
class ParagraphContent:
    """What is translated of a paragraph."""

    content: Content
    effects: dict[Code, Effect]
    format: RunFormat
    """Of most of its text."""


def paragraph_content(paragraph: Paragraph, path: str) -> ParagraphContent | None:
    """Make the content of a paragraph; None if it has no text to translate."""
    items = list(group(paragraph.atoms))
    if not any(item.kind == "text" and item.atoms[0].text.strip() for item in items):
        return None
    first = items[0].format
    if all(item.kind == "text" and item.format.key == first.key for item in items):
        pieces = [Text(text, raw) for item in items for text, raw in item.atoms[0].texts]
        return ParagraphContent(tuple(pieces), {}, first)
    return _Builder(items, path).build()


@dataclass(slots=True, eq=False)
class _Container:
    """The paragraph, or an element around runs."""

    texts: list[Item] = field(default_factory=list)
    """Those that are not in an element inside it."""
    format: RunFormat = PLAIN


class _Builder:
    """A maker of the content of a paragraph."""

    def __init__(self, items: Sequence[Item], path: str) -> None:
        self._path = path
        self._items = items
        self._containers = _find_containers(items)
        self._formats: dict[int, RunFormat] = {}
        for container in {id(each): each for each in self._containers}.values():
            container.format = self._choose_formats(container)
        self._pieces: list[Text | tuple[CodeKind, object, Effect, str]] = []
        self._span: RunFormat | None = None
        self._spans = 0
        self._waiting: list[Item] = []

    def build(self) -> ParagraphContent:
        """Make the content."""
        base = self._containers[0].format if self._containers else PLAIN
        for item, container in zip(self._items, self._containers, strict=True):
            if item.kind == "text":
                self._text(item, container)
            elif item.kind == "code" and item.code_kind in ("point", "word"):
                # Whether it is inside the span of a format depends on what follows.
                self._waiting.append(item)
            else:
                self._end_span()
                self._code(item, container)
        self._end_span()
        content, effects = self._paired()
        return ParagraphContent(content, effects, base)

    def _choose_formats(self, container: _Container) -> RunFormat:
        """Return the format of most of a container's text, and note that of each of its texts."""
        letters: Counter[tuple[str, ...]] = Counter()
        last: RunFormat | None = None
        for item in container.texts:
            chosen, text = item.format, item.atoms[0].text
            # A space that looks the same in any format would only divide the text.
            if not text.strip() and last and not chosen.shows_on_spaces:
                chosen = last
            self._formats[id(item)] = last = chosen
            letters[chosen.key] += len(text)
        most = letters.most_common(1)[0][0] if letters else ()
        formats = (self._formats[id(item)] for item in container.texts)
        return next((each for each in formats if each.key == most), PLAIN)

    def _text(self, item: Item, container: _Container) -> None:
        """Add text, with a span if its format is not that of its container."""
        chosen = self._formats[id(item)]
        if self._span is None or self._span.key != chosen.key:
            self._end_span()
            if chosen.key != container.format.key:
                self._span = chosen
                self._spans += 1
                self._add_format("open", Effect("begin_format", format=chosen))
        self._flush()
        self._pieces += [Text(text, raw) for text, raw in item.atoms[0].texts]

    def _code(self, item: Item, container: _Container) -> None:
        """Add a code."""
        atoms = item.atoms
        raw = "".join(f"<{atom.name}>" for atom in atoms)
        if item.kind == "open":
            effect = Effect("enter", atoms, container.format)
            self._pieces.append(("open", item.key, effect, raw))
        elif item.kind == "close":
            self._pieces.append(("close", item.key, Effect("leave", atoms), raw))
        else:
            self._pieces.append((item.code_kind, item.key, Effect("put", atoms), raw))

    def _flush(self) -> None:
        """Add the codes that waited for what follows."""
        for item in self._waiting:
            self._code(item, _Container())
        self._waiting.clear()

    def _end_span(self) -> None:
        """End the span of a format, before the codes that waited."""
        if self._span:
            self._add_format("close", Effect("end_format"))
            self._span = None
        self._flush()

    def _add_format(self, kind: CodeKind, effect: Effect) -> None:
        """Add a code that begins or ends a span."""
        self._pieces.append((kind, ("format", self._spans), effect, "<w:rPr>"))

    def _paired(self) -> tuple[Content, dict[Code, Effect]]:
        """Make the codes; those that belong together get a common number."""
        codes = [piece for piece in self._pieces if not isinstance(piece, Text)]
        check_code_count(len(codes), self._path)
        pairs = iter(find_pairs([(kind, key) for kind, key, _, _ in codes]))
        content: list[Text | Code] = []
        effects: dict[Code, Effect] = {}
        for piece in self._pieces:
            if isinstance(piece, Text):
                content.append(piece)
                continue
            kind, _, effect, raw = piece
            is_link = any(atom.field or atom.name in _LINKS for atom in effect.atoms)
            is_exact = is_link and kind in ("open", "close")
            code = Code(raw, kind, next(pairs), is_exact)
            content.append(code)
            effects[code] = effect
        return tuple(content), effects


def _find_containers(items: Sequence[Item]) -> list[_Container]:
    """Return what each item is in; a tag around runs is in the element that it opens or closes."""
    stack = [_Container()]
    containers: list[_Container] = []
    for item in items:
        if item.kind == "open":
            stack.append(_Container())
            item.key = stack[-1]
        containers.append(stack[-1])
        if item.kind == "text":
            stack[-1].texts.append(item)
        elif item.kind == "close" and len(stack) > 1:
            item.key = stack.pop()
    return containers
