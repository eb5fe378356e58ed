"""Which column, key or tag is which language."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from nmt.data.formats.corpus import Corpus
from nmt.errors import ConfigError, DataError, did_you_mean
from nmt.languages import languages, resolve_language

_AFFIX = re.compile(r"^(sentence|text)_|_(sentence|text)$")
_USUAL = {"source": ("source", "src"), "target": ("target", "tgt", "trg")}


class Columns(NamedTuple):
    """Names of the two columns that are read."""

    source: str
    target: str


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
    """The columns that the settings name, or that bear the languages' or the usual names.

    Returns:
        None when a side that no setting names is not found.

    Raises:
        DataError: a setting names a column that is not there, or two columns fit one side.
    """
    source = _named(names, corpus.source_column, "source", corpus) or _detect(
        names, corpus.source_language, "source"
    )
    target = _named(names, corpus.target_column, "target", corpus) or _detect(
        names, corpus.target_language, "target"
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
    shown = ", ".join(repr(name) for name in names[:12]) + (", ..." if len(names) > 12 else "")
    return (
        f"no columns found for {corpus.source_language} and {corpus.target_language} among "
        f"{shown or 'no names at all'}. Set data.source_column and data.target_column"
    )


def _named(names: Sequence[str], setting: str | None, side: str, corpus: Corpus) -> str | None:
    if setting is None or setting in names:
        return setting
    raise DataError(
        f"{corpus.path}: data.{side}_column is {setting!r}, and the columns are "
        f"{', '.join(map(repr, names[:12]))}.{did_you_mean(setting, names)}"
    )


def _detect(names: Sequence[str], language: str, side: str) -> str | None:
    """First rule that any name fits; two names under one rule are a fault."""
    for fits in _rules(language, side):
        found = [name for name in dict.fromkeys(names) if fits(_fold(name))]
        if len(found) > 1:
            raise DataError(
                f"columns {' and '.join(map(repr, found))} could both be the {side} "
                f"({language}): set data.{side}_column"
            )
        if found:
            return found[0]
    return None


def _rules(language: str, side: str) -> tuple[Callable[[str], bool], ...]:
    names = _english_names(language)
    exact = (language.casefold(), languages()[language].iso)
    return (
        lambda name: name in exact,
        lambda name: speaks(name, language),
        lambda name: name in names,
        lambda name: name in _USUAL[side],
    )


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
