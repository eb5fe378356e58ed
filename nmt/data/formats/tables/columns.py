"""The choice of the source and target columns of a corpus."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from nmt.data.formats.corpus import Corpus
from nmt.errors import ConfigError, DataError, did_you_mean
from nmt.languages import BCP_47, languages, resolve_language

_AFFIX = re.compile(r"^(sentence|text|segment|string)_|_(sentence|text|segment|string)$")
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COMMON_NAMES = {
    "source": (("source", "src"), ("prompt",)),
    "target": (("target", "tgt", "trg"), ("ref", "reference"), ("completion",)),
}
"""Names for each side; a later group is used where there is no name of an earlier one."""


class Columns(NamedTuple):
    """The names of the columns that are read."""

    source: str
    target: str
    score: str | None = None


class _Candidates(NamedTuple):
    """The columns that may be one side, grouped by the evidence, the strongest first."""

    tags: list[str]
    """Named by language and script (`ind_Latn`), which has no other meaning."""
    names: list[str]
    """Named by the English name of the language (`Indonesian`)."""
    codes: list[str]
    """Named by a bare code (`id`, `en-GB`), which may mean something else."""
    common: list[str]
    """Named by the side: `source` or `src`, `target` or `ref`."""

    def match_language(self) -> bool:
        """Tell whether a column is named after the language, and not only after the side."""
        return bool(self.tags or self.names or self.codes)


# Cached, since every unit of a TMX file has the same few tags.
@lru_cache(maxsize=4096)
def matches_language(tag: str, language: str) -> bool:
    """Tell whether a language tag (`en-GB`, `ENG`, `zh`) may mean a FLORES-200 code."""
    try:
        found = resolve_language(tag)
    except ConfigError:
        return False
    # A bare tag may mean any script of its language: `zh` also `zho_Hant`.
    bare = tag.strip().casefold() in (languages()[language].iso, language.split("_")[0])
    return found == language or bare


def find_columns(names: Sequence[str], corpus: Corpus) -> Columns | None:
    """Find the source and target columns: from the settings, else by language, else by side.

    Returns:
        None if a column is neither set nor found.

    Raises:
        DataError: a setting names a missing column, or two columns fit one side.
    """
    source_side = _candidates(names, corpus.source_language, "source")
    target_side = _candidates(names, corpus.target_language, "target")
    source = _from_setting(names, corpus.source_column, "source", corpus) or _choose(
        source_side, "source", corpus, other_matches_language=target_side.match_language()
    )
    target = _from_setting(names, corpus.target_column, "target", corpus) or _choose(
        target_side, "target", corpus, other_matches_language=source_side.match_language()
    )
    if source is None or target is None:
        return None
    if source == target:
        raise DataError(
            f"{corpus.path}: column {source!r} would be both source and target: "
            f"set {corpus.column_setting('source')} and {corpus.column_setting('target')}"
        )
    return Columns(source, target, _from_setting(names, corpus.score_column, "score", corpus))


def find_extra_columns(names: Sequence[str], corpus: Corpus) -> tuple[str, ...]:
    """Find the columns beside the sentences, which settings name.

    Raises:
        DataError: one of them is missing.
    """
    found = (_from_setting(names, name, side, corpus) for side, name in corpus.extra_columns)
    return tuple(name for name in found if name is not None)


def names_side(name: str, side: str, corpus: Corpus) -> bool:
    """Tell whether a name is that of a column for one side, by its language or in general."""
    language = corpus.source_language if side == "source" else corpus.target_language
    return any(_candidates([name], language, side))


def explain_missing_columns(names: Sequence[str], corpus: Corpus) -> str:
    """Write that no columns were found, which names exist and how to choose, as a clause."""
    return (
        f"no columns found for {corpus.source_language} and {corpus.target_language} among "
        f"{listed(names) or 'no names at all'}. Set "
        f"{corpus.column_setting('source')} and {corpus.column_setting('target')}"
    )


def listed(names: Sequence[str]) -> str:
    """Quote the first column names for a message."""
    return ", ".join(repr(name) for name in names[:12]) + (", ..." if len(names) > 12 else "")


def column_number(setting: str | None) -> int | None:
    """Return the number of a column that a setting gives instead of a name."""
    # Other scripts have digits too, which are more likely a name.
    return int(setting) if setting and setting.isascii() and setting.isdigit() else None


def _from_setting(
    names: Sequence[str], setting: str | None, side: str, corpus: Corpus
) -> str | None:
    if setting is None or setting in names:
        return setting
    number = column_number(setting)
    if number is not None and 0 < number <= len(names):
        return names[number - 1]
    raise DataError(
        f"{corpus.path}: {corpus.column_setting(side)} is {setting!r}, but the columns "
        f"are {listed(names)}.{did_you_mean(setting, names)}"
    )


def _candidates(names: Sequence[str], language: str, side: str) -> _Candidates:
    english = _english_names(language)
    found = _Candidates([], [], [], [])
    others: list[str] = []
    for name in dict.fromkeys(names):
        folded = _fold(name)
        if _is_full_tag(folded, language):
            found.tags.append(name)
        elif folded in english:
            found.names.append(name)
        elif matches_language(folded, language):
            found.codes.append(name)
        else:
            others.append(name)
    # A file of chats may have a `prompt` beside `source`, and one of scores a `ref`.
    groups = ([name for name in others if _fold(name) in group] for group in _COMMON_NAMES[side])
    return found._replace(common=next(filter(None, groups), []))


def _choose(
    found: _Candidates, side: str, corpus: Corpus, *, other_matches_language: bool
) -> str | None:
    """Choose the column of a side; None if there is no candidate.

    Raises:
        DataError: two columns are equally likely.
    """
    if found.tags:
        # Bare codes are ignored here: `id`, `no` and `cat` are also names of other things.
        likely = found.tags + found.names
    elif found.names or found.codes:
        likely = found.names + found.codes
        # If both sides have a column by language, `source` is where a row comes from. If only one
        # side has one, `source` may be the text, and the code something else.
        is_origin = side == "source" and other_matches_language
        if not found.names and not is_origin:
            likely += found.common
    else:
        likely = found.common
    if len(likely) > 1:
        language = corpus.source_language if side == "source" else corpus.target_language
        raise DataError(
            f"{corpus.path}: columns {' and '.join(map(repr, likely))} could both be the {side} "
            f"({language}): set {corpus.column_setting(side)} to the one that holds the "
            "sentences"
        )
    return likely[0] if likely else None


def _is_full_tag(folded: str, language: str) -> bool:
    tag = BCP_47.fullmatch(folded)
    return tag is not None and tag["script"] is not None and matches_language(folded, language)


def _english_names(language: str) -> set[str]:
    entry = languages()[language]
    base = entry.name.split(" (")[0]
    names = {entry.name, base}
    # `Modern Standard Arabic` is also just `Arabic`, since `ar` means it and not a dialect.
    if resolve_language(entry.iso) == language:
        names.add(base.split()[-1])
    return {_fold(name) for name in names}


def _fold(name: str) -> str:
    # `sourceString` is `source_string`.
    spaced = _INNER_CAPITAL.sub("_", name.strip())
    folded = re.sub(r"[\s.-]+", "_", spaced.casefold())
    return _AFFIX.sub("", folded)
