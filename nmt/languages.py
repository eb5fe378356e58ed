"""The 202 languages of NLLB-200, by FLORES-200 code and by other common codes.

The table is `languages.tsv`. Its column `aliases` lists every code that means a row. Where a
language is written in several scripts, the row with the bare ISO codes is the default. The column
`script` is the script of the text, which for Santali differs from the script in its code.

This module imports only the standard library and `nmt.errors`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from nmt.errors import ConfigError, did_you_mean, shortened, suggest

_RIGHT_TO_LEFT = frozenset({"Arab", "Hebr"})
_IDEOGRAMS = frozenset({"Hans", "Hant", "Jpan"})
_WORDS_JOINED = _IDEOGRAMS | {"Khmr", "Laoo", "Mymr", "Thai", "Tibt"}

BCP_47 = re.compile(r"(?P<language>[a-z]{2,3})(_(?P<script>[a-z]{4}))?(_([a-z]{2}|[0-9]{3}))?")


@dataclass(frozen=True, slots=True)
class Language:
    """A language in one script."""

    code: str
    """FLORES-200 code, as in NLLB's tokenizer."""
    name: str
    """English name, with the script where there are several."""
    iso: str
    """ISO 639-1 code, or the 639-3 code if there is none; rows of one language share it."""
    script: str
    """ISO 15924 code."""

    @property
    def is_ideographic(self) -> bool:
        """Tell whether the script is ideographic: without spaces even between sentences."""
        return self.script in _IDEOGRAMS

    @property
    def is_unsegmented(self) -> bool:
        """Tell whether words are written without spaces between them."""
        return self.script in _WORDS_JOINED


@cache
def languages() -> Mapping[str, Language]:
    """Return all languages by FLORES-200 code, sorted."""
    rows = (row.split("\t") for row in _rows())
    table = {code: Language(code, name, iso, script) for code, name, script, iso, _ in rows}
    return MappingProxyType(table)


def resolve_language(code: str) -> str:
    """Find the FLORES-200 code of a language.

    Args:
        code: FLORES-200, ISO 639-1 or 639-3 code, alone or with a script or a region (`zh-Hant`,
            `en-US`, `ta_IN`), in any case. A region matters only where it decides the script.

    Raises:
        ConfigError: NLLB does not have the language, or not in that script.
    """
    # The code may come from a request. No valid one is that long, and comparing a long text with
    # every known code would be slow.
    code = shortened(code)
    key = _fold(code)
    known = _aliases()
    if key in known:
        return known[key]
    parts = BCP_47.fullmatch(key)
    default = known.get(parts["language"]) if parts else None
    if parts is None or default is None:
        raise ConfigError(f"{code!r} is not a FLORES-200 or ISO 639 language code.{_hint(key)}")
    return _in_script(code, default, parts["script"]) if parts["script"] else default


def known_codes() -> Mapping[str, str]:
    """Map every known code, in lower case with `_` between its parts, to its FLORES-200 code."""
    return MappingProxyType(_aliases())


def iso_code(flores: str) -> str:
    """Return the ISO 639-1 code of a FLORES-200 code, or the ISO 639-3 code if there is none.

    Raises:
        ConfigError: `resolve_language` does not know the code.
    """
    return languages()[resolve_language(flores)].iso


def language_tag(flores: str) -> str:
    """Return the BCP 47 tag (`ta`, `zh-Hant`) that documents declare their language with.

    The script is named only where the language alone means another one.

    Raises:
        ConfigError: `resolve_language` does not know the code.
    """
    language = languages()[resolve_language(flores)]
    is_default = _aliases().get(language.iso) == language.code
    return language.iso if is_default else f"{language.iso}-{language.script}"


def is_right_to_left(flores: str) -> bool:
    """Tell whether a language is written from right to left.

    Raises:
        ConfigError: `resolve_language` does not know the code.
    """
    return script_of(flores) in _RIGHT_TO_LEFT


def script_of(flores: str) -> str:
    """Return the ISO 15924 code (`Latn`, `Taml`) of the script that a language is written in.

    Raises:
        ConfigError: `resolve_language` does not know the code.
    """
    return languages()[resolve_language(flores)].script


@cache
def _rows() -> tuple[str, ...]:
    table = files("nmt").joinpath("languages.tsv").read_text(encoding="utf-8")
    return tuple(table.splitlines()[1:])


@cache
def _aliases() -> Mapping[str, str]:
    """Map every code, folded, to its FLORES-200 code."""
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
        f"{code!r} asks for a script that NLLB does not have for {name}.{suggest(scripts)}"
    )


def _hint(key: str) -> str:
    """Suggest similar codes, by English name or else by spelling."""
    by_name = [
        language.code
        for language in languages().values()
        if key in (language.name.casefold(), language.name.split(" (")[0].casefold())
    ]
    if by_name:
        return suggest(by_name)
    if len(key) == 2:
        # Two letters are too few to compare spellings: suggest every code with the same first one.
        codes = {language.iso for language in languages().values() if len(language.iso) == 2}
        return suggest(sorted(code for code in codes if code[0] == key[0]))
    similar = did_you_mean(key, languages()) or did_you_mean(key.split("_")[0], _aliases())
    return similar or " Codes look like 'ta', 'tam' or 'tam_Taml'."
