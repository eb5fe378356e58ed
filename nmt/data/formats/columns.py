"""Which column, key or tag is which language."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from nmt.data.formats.corpus import Corpus
from nmt.errors import ConfigError, DataError, did_you_mean
from nmt.languages import BCP_47, languages, resolve_language

_AFFIX = re.compile(r"^(sentence|text)_|_(sentence|text)$")
_USUAL = {"source": ("source", "src"), "target": ("target", "tgt", "trg")}


class Columns(NamedTuple):
    """Names of the two columns that are read."""

    source: str
    target: str


class _Candidates(NamedTuple):
    """Columns that may be one side, by what speaks for them, the strongest first."""

    tags: list[str]
    """Language and script (`ind_Latn`): nothing else is called so."""
    names: list[str]
    """English names (`Indonesian`)."""
    codes: list[str]
    """Bare codes (`id`, `en-GB`), which other things than languages may be called, too."""
    usual: list[str]
    """`source` or `src`, `target` or `tgt`."""

    def tells_language(self) -> bool:
        """Whether a column bears the language and not only the usual name of the side."""
        return bool(self.tags or self.names or self.codes)


@lru_cache(maxsize=4096)
def speaks(tag: str, language: str) -> bool:
    """Whether a language tag (`en-GB`, `ENG`, `zh`) may stand for a FLORES-200 code.

    A bare tag stands for every script of its language: `zh` for `zho_Hant` too.
    """
    try:
        found = resolve_language(tag)
    except ConfigError:
        return False
    bare = tag.strip().casefold() in (languages()[language].iso, language.split("_")[0])
    return found == language or bare


def find_columns(names: Sequence[str], corpus: Corpus) -> Columns | None:
    """Find the columns that the settings name, or that bear the languages' or the usual names.

    Returns:
        None when a side that no setting names is not found.

    Raises:
        DataError: a setting names a column that is not there, or two columns fit one side.
    """
    source_side = _candidates(names, corpus.source_language, "source")
    target_side = _candidates(names, corpus.target_language, "target")
    source = _named(names, corpus.source_column, "source", corpus) or _choose(
        source_side, "source", corpus, other_tells_language=target_side.tells_language()
    )
    target = _named(names, corpus.target_column, "target", corpus) or _choose(
        target_side, "target", corpus, other_tells_language=source_side.tells_language()
    )
    if source is None or target is None:
        return None
    if source == target:
        raise DataError(
            f"{corpus.path}: column {source!r} would be both source and target: "
            "set data.source_column and data.target_column"
        )
    return Columns(source, target)


def no_columns(names: Sequence[str], corpus: Corpus) -> str:
    """Ending of a message: which names there are, and how to say which are meant."""
    return (
        f"no columns found for {corpus.source_language} and {corpus.target_language} among "
        f"{listed(names) or 'no names at all'}. Set data.source_column and data.target_column"
    )


def listed(names: Sequence[str]) -> str:
    """Quote the first names of columns for a message."""
    return ", ".join(repr(name) for name in names[:12]) + (", ..." if len(names) > 12 else "")


def _named(names: Sequence[str], setting: str | None, side: str, corpus: Corpus) -> str | None:
    if setting is None or setting in names:
        return setting
    raise DataError(
        f"{corpus.path}: data.{side}_column is {setting!r}, and the columns are "
        f"{listed(names)}.{did_you_mean(setting, names)}"
    )


def _candidates(names: Sequence[str], language: str, side: str) -> _Candidates:
    english = _english_names(language)
    found = _Candidates([], [], [], [])
    for name in dict.fromkeys(names):
        folded = _fold(name)
        if _is_full_tag(folded, language):
            found.tags.append(name)
        elif folded in english:
            found.names.append(name)
        elif speaks(folded, language):
            found.codes.append(name)
        elif folded in _USUAL[side]:
            found.usual.append(name)
    return found


def _choose(
    found: _Candidates, side: str, corpus: Corpus, *, other_tells_language: bool
) -> str | None:
    """Choose the one column that can be meant.

    A bare code that is also a usual name of other things (`id`, `no`, `cat`) stands back behind a
    full tag, and rivals every other name. `source` beside codes for both sides is where a row
    comes from; beside a code for one side alone it may be the text.

    Raises:
        DataError: two columns can be meant.
    """
    if found.tags:
        rivals = found.tags + found.names
    elif found.names or found.codes:
        rivals = found.names + found.codes
        origin = side == "source" and other_tells_language
        if not found.names and not origin:
            rivals += found.usual
    else:
        rivals = found.usual
    if len(rivals) > 1:
        language = corpus.source_language if side == "source" else corpus.target_language
        raise DataError(
            f"{corpus.path}: columns {' and '.join(map(repr, rivals))} could both be the {side} "
            f"({language}): set data.{side}_column to the one that holds the sentences"
        )
    return rivals[0] if rivals else None


def _is_full_tag(folded: str, language: str) -> bool:
    tag = BCP_47.fullmatch(folded)
    return tag is not None and tag["script"] is not None and speaks(folded, language)


def _english_names(language: str) -> set[str]:
    """`Modern Standard Arabic` is also just `Arabic`, being what `ar` stands for."""
    entry = languages()[language]
    base = entry.name.split(" (")[0]
    names = {entry.name, base}
    if resolve_language(entry.iso) == language:
        names.add(base.split()[-1])
    return {_fold(name) for name in names}


def _fold(name: str) -> str:
    folded = re.sub(r"[\s.-]+", "_", name.strip().casefold())
    return _AFFIX.sub("", folded)
