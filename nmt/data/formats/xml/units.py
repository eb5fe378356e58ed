"""The units of an XML file, which are parsed one by one."""

import logging
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, iterparse

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.files.unpack import open_bytes
from nmt.data.formats.xml.xml_text import XmlText
from nmt.errors import DataError

log = logging.getLogger(__name__)


class Unit(NamedTuple):
    """An element with a text and its translations."""

    element: Element
    parents: Sequence[Element]
    """Elements around it, the outermost first. They have attributes, but not all children."""


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


def _parse(text: XmlText, names: frozenset[str]) -> Iterator[Unit]:
    parents: list[Element] = []
    # The bytes of `XmlText` are UTF-8, whatever the file declares.
    parser = DefusedXMLParser(encoding="utf-8")
    for event, element in iterparse(text, events=("start", "end"), parser=parser):
        if event == "start":
            parents.append(element)
            continue
        parents.pop()
        if local_name(element) in names:
            yield Unit(element, tuple(parents))
            # Otherwise the tree of the whole file would stay in memory. The attributes stay, as
            # they name the languages.
            if parents:
                del parents[-1][:]
