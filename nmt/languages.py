"""The 202 languages of NLLB-200, by FLORES-200 code, and the other codes they go by.

The table is `languages.tsv`. Its `aliases` hold every code that means a row by itself, so where a
language is written in several scripts, the row that has the bare ISO codes is the default. The
`script` is the one of the text, which for Santali is not the one in its code.

Must not import anything outside the standard library but `nmt.errors`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from nmt.errors import ConfigError, did_you_mean, shortened

_IDEOGRAMS = frozenset({"Hans", "Hant", "Jpan"})
_WORDS_JOINED = _IDEOGRAMS | {"Khmr", "Laoo", "Mymr", "Thai", "Tibt"}

BCP_47 = re.compile(r"(?P<language>[a-z]{2,3})(_(?P<script>[a-z]{4}))?(_([a-z]{2}|[0-9]{3}))?")


@dataclass(frozen=True, slots=True)
class Language:
    """One language in one script."""

    code: str
    """FLORES-200 code, as NLLB's tokenizer has it."""
    name: str
    """English name; with the script where there are several."""
    iso: str
    """ISO 639-1 code, or 639-3 where there is none; rows of one language share it."""
    script: str
    """ISO 15924 code."""

    @property
    def is_ideographic(self) -> bool:
        """Whether a character stands for much of a word, and no space between sentences."""
        return self.script in _IDEOGRAMS

    @property
    def is_unsegmented(self) -> bool:
        """Whether no space stands between words."""
        return self.script in _WORDS_JOINED


@cache
def languages() -> Mapping[str, Language]:
    """FLORES-200 code -> language, sorted by code."""
    rows = (row.split("\t") for row in _rows())
    table = {code: Language(code, name, iso, script) for code, name, script, iso, _ in rows}
    return MappingProxyType(table)


def resolve_language(code: str) -> str:
    """FLORES-200 code of a language.

    Args:
        code: FLORES-200, ISO 639-1 or 639-3 code, alone or with a script or a region (`zh-Hant`,
            `en-US`, `ta_IN`), in any case. A region counts only where it decides the script.

    Raises:
        ConfigError: NLLB has no such language, or not in that script.
    """
    code = shortened(code)  # no code is that long; it is quoted, and compared with all there are
    key = _fold(code)
    known = _aliases()
    if key in known:
        return known[key]
    parts = BCP_47.fullmatch(key)
    default = known.get(parts["language"]) if parts else None
    if parts is None or default is None:
        raise ConfigError(_unknown(code, key))
    return _in_script(code, default, parts["script"]) if parts["script"] else default


def known_codes() -> Mapping[str, str]:
    """Map every code that means a language by itself to its FLORES-200 code.

    The codes are in lower case, with `_` between their parts.
    """
    return MappingProxyType(_aliases())


def iso_code(flores: str) -> str:
    """ISO 639-1 code of a FLORES-200 code, or ISO 639-3 where there is none.

    Raises:
        ConfigError: not a code that `resolve_language` knows.
    """
    return languages()[resolve_language(flores)].iso


def script_of(flores: str) -> str:
    """ISO 15924 code (`Latn`, `Taml`) of the script that a language is written in.

    Raises:
        ConfigError: not a code that `resolve_language` knows.
    """
    return languages()[resolve_language(flores)].script


@cache
def _rows() -> tuple[str, ...]:
    table = files("nmt").joinpath("languages.tsv").read_text(encoding="utf-8")
    return tuple(table.splitlines()[1:])


@cache
def _aliases() -> Mapping[str, str]:
    """Folded code of any kind -> FLORES-200 code."""
    return {
        _fold(alias): code
        for code, _, _, _, aliases in (row.split("\t") for row in _rows())
        for alias in (code, *aliases.split())
    }


def _fold(code: str) -> str:
    return code.strip().replace("-", "_").casefold()


def _in_script(code: str, default: str, script: str) -> str:
    prefix = default.split("_")[0]
    scripts = [flores for flores in languages() if flores.split("_")[0] == prefix]
    wanted = f"{prefix}_{script.capitalize()}"
    if wanted in scripts:
        return wanted
    name = languages()[default].name.split(" (")[0]
    raise ConfigError(
        f"{code!r} asks for a script that NLLB does not have for {name}.{_offer(scripts)}"
    )


def _unknown(code: str, key: str) -> str:
    return f"{code!r} is no FLORES-200 or ISO 639 language code.{_near(key)}"


def _near(key: str) -> str:
    """Ending that names near codes: by English name, else by spelling."""
    by_name = [
        language.code
        for language in languages().values()
        if key in (language.name.casefold(), language.name.split(" (")[0].casefold())
    ]
    if by_name:
        return _offer(by_name)
    if len(key) == 2:
        return _near_two_letters(key)
    near = did_you_mean(key, languages()) or did_you_mean(key.split("_")[0], _aliases())
    return near or " Codes look like 'ta', 'tam' or 'tam_Taml'."


def _near_two_letters(key: str) -> str:
    """Two letters are too few for a likeness: offer every code that begins alike."""
    codes = {language.iso for language in languages().values() if len(language.iso) == 2}
    return _offer(sorted(code for code in codes if code[0] == key[0]))


def _offer(codes: list[str]) -> str:
    return f" Did you mean {' or '.join(map(repr, codes))}?" if codes else ""
