"""A reader for the catalogues of gettext (PO)."""

import logging
import re
from collections.abc import Iterator

import polib

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.files.unpack import open_bytes
from nmt.data.formats.rows import RawPair
from nmt.data.formats.tables.columns import matches_language
from nmt.errors import DataError

log = logging.getLogger(__name__)

_CHARSET = re.compile(rb"charset=([A-Za-z0-9_.:-]+)")
_HEAD_BYTES = 1 << 14
_MAX_BYTES = 256 << 20


def read_po(corpus: Corpus) -> Iterator[RawPair]:
    """Read the translated messages; skip empty, fuzzy and obsolete ones, and the header.

    A message with plural forms gives two pairs: its singular with the first form, and its plural
    with the last one.

    Raises:
        DataError: the file is not a catalogue, or is for another language.
    """
    catalogue = _parse(corpus)
    language = str(catalogue.metadata.get("Language", "")).split("@")[0]
    backward = matches_language(language, corpus.source_language)
    if language and not backward and not matches_language(language, corpus.target_language):
        _refuse_language(corpus, language)
        return
    # A fuzzy translation is a guess from a similar message, which nobody has checked.
    fuzzy = sum(entry.fuzzy and not entry.obsolete for entry in catalogue)
    found = empty = 0
    for entry in catalogue:
        if entry.obsolete or entry.fuzzy:
            continue
        pairs = [(source, target) for source, target in _pairs(entry) if target.strip()]
        empty += not pairs
        for source, target in pairs:
            found += 1
            sides = (target, source) if backward else (source, target)
            yield RawPair(*sides, entry.linenum or 0)
    if not found:
        raise DataError(f"{corpus.path}: no message has a translation")
    if empty or fuzzy:
        log.warning(
            "%s: skipped messages: %d without a translation, %d fuzzy", corpus.path, empty, fuzzy
        )


def _parse(corpus: Corpus) -> polib.POFile:
    # A catalogue has at most some thousand messages, so it is read as a whole.
    with open_bytes(corpus.file) as stream:
        content = stream.read(_MAX_BYTES)
    if len(content) == _MAX_BYTES:
        raise DataError(f"{corpus.path} has more than {_MAX_BYTES:,} bytes: split it")
    charset = _CHARSET.search(content[:_HEAD_BYTES])
    # CHARSET is what xgettext writes until somebody fills it in.
    name = charset[1].decode("ascii") if charset and charset[1] != b"CHARSET" else "utf-8"
    try:
        # Without its ends, the text cannot be taken for the name of a file.
        return polib.pofile(f"{content.decode(name).removeprefix(chr(0xFEFF))}\n")
    except (LookupError, UnicodeDecodeError) as error:
        raise DataError(
            f"{corpus.path} is not {name}, as its header says ({error}): save it in UTF-8, and "
            "write charset=UTF-8 into its header"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(
            f"{corpus.path} is not a valid PO file ({error}): msgfmt --check shows the errors"
        ) from None


def _refuse_language(corpus: Corpus, language: str) -> None:
    problem = f"is a translation into {language!r}, as its header says"
    # A folder of catalogues has one for each language of the program.
    if corpus.is_part:
        log.warning("%s: ignored, since it %s", corpus.path, problem)
    else:
        raise DataError(f"{corpus.path} {problem}, and not into {corpus.target_language}")


def _pairs(entry: polib.POEntry) -> list[tuple[str, str]]:
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    forms = [entry.msgstr_plural[number] for number in sorted(entry.msgstr_plural)]
    if not forms:
        return []
    # A language without plural forms has one form, which fits the general case: the plural.
    plural = (entry.msgid_plural, forms[-1])
    return [plural] if len(forms) == 1 else [(entry.msgid, forms[0]), plural]
