"""A streaming reader for translation memories (TMX)."""

import logging
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import RawPair
from nmt.data.formats.tables.columns import matches_language
from nmt.data.formats.xml.inline_codes import plain_text
from nmt.data.formats.xml.units import local_name, read_units
from nmt.errors import DataError

log = logging.getLogger(__name__)

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def read_tmx(corpus: Corpus) -> Iterator[RawPair]:
    """Read the first variant of each language in every unit; skip units that lack a language.

    Raises:
        DataError: the file is not well-formed XML, or no unit has both languages.
    """
    languages: Counter[str] = Counter()
    found = 0
    number = 0
    for number, unit in enumerate(read_units(corpus, frozenset({"tu"})), start=1):
        variants = [(_language(part), part) for part in unit.element if local_name(part) == "tuv"]
        # A unit counts once for each language, even if it has two variants in it.
        languages.update(dict.fromkeys((tag for tag, _ in variants), 1))
        source = _segment(variants, corpus.source_language)
        target = _segment(variants, corpus.target_language)
        if source is not None and target is not None:
            found += 1
            yield RawPair(source, target, number)
    if not found:
        raise DataError(_explain_no_pairs(corpus, languages))
    # A memory of many languages has such units, and they are not damaged. Of a test set, a missing
    # sentence may be a surprise.
    if found < number:
        level = logging.WARNING if corpus.exact else logging.INFO
        log.log(level, "%s: units without one of the languages: %d", corpus.path, number - found)


def _language(variant: Element) -> str:
    # TMX 1.1 had `lang` without a namespace.
    return variant.get(XML_LANG) or variant.get("lang") or ""


def _segment(variants: list[tuple[str, Element]], language: str) -> str | None:
    for tag, variant in variants:
        if matches_language(tag, language):
            return next((plain_text(part) for part in variant if local_name(part) == "seg"), "")
    return None


def _explain_no_pairs(corpus: Corpus, languages: Counter[str]) -> str:
    listed = ", ".join(f"{tag or 'none'} ({count} units)" for tag, count in languages.most_common())
    return (
        f"{corpus.path}: no unit has both {corpus.source_language} and "
        f"{corpus.target_language}. Languages in it: {listed or 'none'}. "
        f"Set {corpus.language_settings} to two of them"
    )
