"""What a PO file says of itself: its encoding, its language and its plural forms."""

import re
from dataclasses import dataclass

from nmt.documents.formats.po.scanner import Entry
from nmt.errors import ConfigError
from nmt.languages import language_tag, resolve_language

_CHARSET = re.compile(r"(?P<before>charset\s*=\s*)(?P<value>[\w.:-]+)", re.IGNORECASE)
_FORMS = re.compile(r"nplurals\s*=\s*(?P<count>[1-9])\s*;\s*plural\s*=\s*(?P<rule>[^;\\\"]+)")
# The form that `n == 1` leads to; `n % 10 == 1` leads 21 to the same one.
_FORM_OF_ONE = re.compile(r"n\s*(?P<more>%\s*\d+\s*)?==\s*1\s*\)?\s*(?:&&[^?]*)?\?\s*(?P<form>\d)")
_LANGUAGES = {"zh": "zh_CN", "zh-Hant": "zh_TW", "sr-Latn": "sr@latin", "nb": "nb_NO"}

_SLAVIC = "n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2"
# Rules of gettext's manual; other languages have the most common one.
_RULES = {
    "nplurals=1; plural=0;": (
        "ja zh yue ko vi th id ms lo my km bo dz jv su wo ug ace min ban bjn bug"
    ),
    "nplurals=2; plural=(n > 1);": "fr ln mg mi nso oc ti tg tr uz fa am hy ht kab ckb",
    f"nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : {_SLAVIC});": "ru uk be sr hr bs",
    f"nplurals=3; plural=(n==1 ? 0 : {_SLAVIC});": "pl szl",
    "nplurals=3; plural=(n==1 ? 0 : n>=2 && n<=4 ? 1 : 2);": "cs sk",
    "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2);": (
        "lt sgs"
    ),
    "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2);": "lv ltg",
    "nplurals=3; plural=(n==1 ? 0 : (n==0 || (n%100 > 0 && n%100 < 20)) ? 1 : 2);": "ro",
    "nplurals=4; plural=(n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3);": "sl",
    (
        "nplurals=4; plural=(n==1 ? 0 : n==0 || (n%100>1 && n%100<11) ? 1"
        " : n%100>10 && n%100<20 ? 2 : 3);"
    ): "mt",
    "nplurals=4; plural=(n==1 || n==11 ? 0 : n==2 || n==12 ? 1 : n>2 && n<20 ? 2 : 3);": "gd",
    "nplurals=4; plural=(n==1 ? 0 : n==2 ? 1 : n != 8 && n != 11 ? 2 : 3);": "cy",
    "nplurals=5; plural=(n==1 ? 0 : n==2 ? 1 : n<7 ? 2 : n<11 ? 3 : 4);": "ga",
    (
        "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3"
        " : n%100>=11 ? 4 : 5);"
    ): "ar",
    "nplurals=2; plural=(n%10!=1 || n%100==11);": "is mk",
}
_RULE_OF = {code: rule for rule, codes in _RULES.items() for code in codes.split()}
_MOST_COMMON_RULE = "nplurals=2; plural=(n != 1);"


@dataclass(frozen=True, slots=True)
class Plurals:
    """The plural forms of a language."""

    rule: str
    """As a header has it."""
    is_new: bool
    """Whether the header has another one."""

    @property
    def count(self) -> int:
        """Return the number of forms."""
        match = _FORMS.search(self.rule)
        return int(match["count"]) if match else 1

    @property
    def form_of_one(self) -> int:
        """Return the number of the form for one thing."""
        match = _FORM_OF_ONE.search(self.rule)
        return int(match["form"]) if match else 0

    @property
    def is_form_of_one_for_more(self) -> bool:
        """Tell whether other numbers than one have its form, such as 21 in Russian."""
        match = _FORM_OF_ONE.search(self.rule)
        return self.count == 1 or bool(match and match["more"])


def find_charset(text: str) -> str | None:
    """Return the encoding that a header declares; None if it does not."""
    match = _CHARSET.search(text)
    # Templates have the word instead of a name.
    return match["value"] if match and match["value"] != "CHARSET" else None


def find_plurals(header: Entry | None, target_language: str) -> Plurals:
    """Return the plural forms that the file has to have: its own, else those of the language."""
    match = _FORMS.search(header.fields["msgstr"].raw) if header else None
    if match:
        return Plurals(match[0], False)
    iso = language_tag(target_language).split("-")[0]
    rule = _RULE_OF.get(iso, _MOST_COMMON_RULE)
    return Plurals(rule, header is not None)


def new_header(parts: list[str], target_language: str, plurals: Plurals | None) -> list[str]:
    """Return the string of a header with its language and encoding set.

    Args:
        parts: the string of the header, by lines, with its escapes.
        target_language: FLORES-200 code.
        plurals: of the file; None if it has no message with plural forms.
    """
    charset = [_CHARSET.sub(r"\g<before>UTF-8", part) for part in parts]
    if find_charset("".join(parts)) is None:
        parts = charset
    raw = "".join(parts)
    if not _is_of(_language(raw), target_language):
        tag = language_tag(target_language)
        name = _LANGUAGES.get(tag, tag.replace("-", "_"))
        parts = _with_value(parts, "Language", name)
    return _with_value(parts, "Plural-Forms", plurals.rule) if plurals and plurals.is_new else parts


def with_charset(text: str, name: str) -> str:
    """Replace the encoding that a file declares."""
    return _CHARSET.sub(rf"\g<before>{name}", text, count=1)


def _with_value(parts: list[str], key: str, value: str) -> list[str]:
    """Set a line of a header."""
    pattern = re.compile(rf"(?P<key>(?:^|\\n){re.escape(key)}:)[^\\]*")
    changed = [pattern.sub(rf"\g<key> {value}", part) for part in parts]
    if any(pattern.search(part) for part in parts):
        return changed
    return [*parts, f"{key}: {value}\\n"]


def _language(raw: str) -> str:
    """Return the language that a header names."""
    match = re.search(r"(?:^|\\n)Language:[ \t]*([^\\]*)", raw)
    return match[1].strip() if match else ""


def _is_of(name: str, language: str) -> bool:
    """Tell whether a name in a header is that of a language."""
    # `ta_IN` and `ta_IN.UTF-8` are as good as `ta`, so they stay.
    try:
        return bool(name) and resolve_language(name.split("@")[0].split(".")[0]) == language
    except ConfigError:
        return False
