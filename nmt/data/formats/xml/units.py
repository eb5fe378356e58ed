"""The units of an XML file, which are parsed one by one."""

import logging
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.files.unpack import open_bytes
from nmt.data.formats.xml.xml_text import XmlText
from nmt.errors import DataError

log = logging.getLogger(__name__)

_PART_CHARACTERS = 1 << 16
_MAX_UNIT_CHARACTERS = 64 << 20
"""Maximum length of the text of a unit; a packed file can hold more than the memory."""


class Unit(NamedTuple):
    """An element with a text and its translations."""

    element: Element
    parents: Sequence[Element]
    """Elements around it, the outermost first, with attributes but without children."""


def read_units(corpus: Corpus, names: frozenset[str]) -> Iterator[Unit]:
    """Read the elements of some names in order.

    Raises:
        DataError: the file is not well-formed XML, or has entities.
    """
    with open_bytes(corpus.file) as stream:
        text = _decode(stream, corpus)
        try:
            yield from _parse(text, names)
            text.detach()
        except ParseError as error:
            line, column = error.position
            raise DataError(
                f"{corpus.path}, line {line}, column {column + 1}: not well-formed XML "
                f"({error.msg}). Export or copy the file again; xmllint --noout shows every error"
            ) from None
        except UnicodeDecodeError as error:
            raise DataError(
                f"{corpus.path}, at line {text.lines + 1} or after: bytes that are not "
                f"{error.encoding}. Export the file again, or declare its encoding in its first "
                'line: <?xml version="1.0" encoding="..."?>'
            ) from None
        except DataError as error:
            raise DataError(f"{corpus.path}: {error}") from None
        except (DefusedXmlException, ValueError) as error:
            # Entities are refused, since a few nested ones can expand to gigabytes.
            raise DataError(f"{corpus.path}: refused XML: {error}") from None
    if text.corrected:
        log.warning(
            "%s: characters that XML forbids, removed or corrected: %d",
            corpus.path, text.corrected,
        )  # fmt: skip


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def _decode(stream: BinaryIO, corpus: Corpus) -> XmlText:
    try:
        return XmlText(stream)
    except LookupError as error:
        raise DataError(
            f"{corpus.path}: its first line declares an encoding that is not known ({error}): "
            "export it in UTF-8"
        ) from None


class _UnitBuilder:
    """A target of the parser that builds the tree of each unit, and of nothing else."""

    def __init__(self, names: frozenset[str]) -> None:
        self.units: list[Unit] = []
        """Complete units, until the caller takes them."""
        self._names = names
        self._parents: list[Element] = []
        self._builder: TreeBuilder | None = None
        self._depth = 0
        self._characters = 0
        """Number of characters of text in the current unit."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        if self._builder is None:
            if tag.rpartition("}")[2] not in self._names:
                # Not appended to its parent, so that the tree of a large file is never in memory.
                self._parents.append(Element(tag, attributes))
                return
            self._builder = TreeBuilder()
            self._characters = 0
        self._depth += 1
        self._builder.start(tag, attributes)

    def data(self, text: str) -> None:
        """Take a part of the text."""
        if self._builder is None:
            return
        self._builder.data(text)
        self._characters += len(text)
        if self._characters > _MAX_UNIT_CHARACTERS:
            raise DataError(f"a unit has more than {_MAX_UNIT_CHARACTERS:,} characters")

    def end(self, tag: str) -> None:
        """End an element."""
        if self._builder is None:
            self._parents.pop()
            return
        self._builder.end(tag)
        self._depth -= 1
        if not self._depth:
            self.units.append(Unit(self._builder.close(), tuple(self._parents)))
            self._builder = None

    def close(self) -> None:
        """End the file."""


def _parse(text: XmlText, names: frozenset[str]) -> Iterator[Unit]:
    builder = _UnitBuilder(names)
    # The bytes of `XmlText` are UTF-8, whatever the file declares.
    parser = DefusedXMLParser(target=builder, encoding="utf-8")
    while part := text.read(_PART_CHARACTERS):
        parser.feed(part)
        yield from builder.units
        builder.units.clear()
    parser.close()
