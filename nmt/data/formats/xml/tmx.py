"""A streaming reader for translation memories (TMX)."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, iterparse

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.files.unpack import open_bytes
from nmt.data.formats.rows import RawPair
from nmt.data.formats.tables.columns import matches_language
from nmt.data.formats.xml.inline_codes import plain_text
from nmt.data.formats.xml.xml_text import XmlText
from nmt.errors import DataError

log = logging.getLogger(__name__)

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def read_tmx(corpus: Corpus) -> Iterator[RawPair]:
    """Read the first variant of each language in every unit; skip units that lack a language.

    Raises:
        DataError: the file is not well-formed XML, or no unit has both languages.
    """
    languages: Counter[str] = Counter()
    found = False
    for number, unit in enumerate(_units(corpus), start=1):
        variants = [(_language(variant), variant) for variant in unit if _tag(variant) == "tuv"]
        # A unit counts once for each language, even if it has two variants in it.
        languages.update(dict.fromkeys((tag for tag, _ in variants), 1))
        source = _segment(variants, corpus.source_language)
        target = _segment(variants, corpus.target_language)
        if source is not None and target is not None:
            found = True
            yield RawPair(source, target, number)
    if not found:
        raise DataError(_explain_no_pairs(corpus, languages))


def _units(corpus: Corpus) -> Iterator[Element]:
    with open_bytes(corpus.file) as stream:
        text = _decode(stream, corpus)
        try:
            yield from _parse(text)
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


def _decode(stream: BinaryIO, corpus: Corpus) -> XmlText:
    try:
        return XmlText(stream)
    except LookupError as error:
        raise DataError(
            f"{corpus.path}: its first line declares an encoding that is not known ({error}): "
            "export it in UTF-8"
        ) from None


def _parse(text: XmlText) -> Iterator[Element]:
    """Parse the units one by one."""
    parents: list[Element] = []
    # The bytes of `XmlText` are UTF-8, whatever the file declares.
    parser = DefusedXMLParser(encoding="utf-8")
    for event, element in iterparse(text, events=("start", "end"), parser=parser):
        if event == "start":
            parents.append(element)
            continue
        parents.pop()
        if _tag(element) == "tu":
            yield element
            # Otherwise the tree of the whole file would stay in memory.
            if parents:
                parents[-1].clear()


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _language(variant: Element) -> str:
    # TMX 1.1 had `lang` without a namespace.
    return variant.get(XML_LANG) or variant.get("lang") or ""


def _segment(variants: list[tuple[str, Element]], language: str) -> str | None:
    for tag, variant in variants:
        if matches_language(tag, language):
            return next((plain_text(part) for part in variant if _tag(part) == "seg"), "")
    return None


def _explain_no_pairs(corpus: Corpus, languages: Counter[str]) -> str:
    listed = ", ".join(f"{tag or 'none'} ({count} units)" for tag, count in languages.most_common())
    return (
        f"{corpus.path}: no unit has both {corpus.source_language} and "
        f"{corpus.target_language}. Languages in it: {listed or 'none'}. "
        "Set data.source_language and data.target_language to two of them"
    )
