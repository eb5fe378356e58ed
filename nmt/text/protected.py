"""Words that are not language: addresses, placeholders, names of files, emoji."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

ProtectedKind = Literal["fixed", "name", "emoji"]


@dataclass(frozen=True, slots=True)
class Protected:
    """A protected word of a text."""

    start: int
    end: int
    kind: ProtectedKind
    """`fixed`: an address or a placeholder, which a model must never see. `name`: the name of a
    file, an option or an identifier, which a model may read, and has to copy. `emoji`: a sign
    beside the words."""


# Scripts without spaces and their punctuation: an address would take in the sentence after it.
_UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff"
)
# Every repetition is possessive, bounded, or stops at the character that begins its pattern, so
# that no text takes more than linear time.
_BRACED = r"\{\{[^{}]{0,300}\}\}|\{%[^%{}]{0,300}%\}|\{[^\s{}]{0,80}\}"
_URL_BODY = rf"(?:{_BRACED}|[^\s<>\"{{}}⟦⟧“”«»\ue000-\uf8ff{_UNSPACED}])++"
_WORD = rf"[^\W{_UNSPACED}]"
_FIXED = rf"""
      (?<![\w+.-])(?:[a-z][a-z0-9+.-]{{1,20}}://|(?:mailto|tel):(?=\S)|www\.(?=\w)) {_URL_BODY}
    | (?<![\w.+-])[\w.+-]{{1,64}}@(?:{_WORD}|-){{1,63}}(?:\.(?:{_WORD}|-){{1,63}}){{1,8}}
    | \{{\{{\{{[^{{}}]{{0,300}}\}}\}}\}} | {_BRACED}
    | \{{\#[^{{}}\#]{{0,300}}\#\}} | <%[^%<]{{0,300}}%> | [$%\#]\{{[^{{}}]{{0,200}}\}}
    | \{{\s?\w{{1,60}}\s?,\s?(?:number|date|time)\b[^{{}}]{{0,80}}\}}
    | %\([\w.]{{1,80}}\)[-+0\#]{{0,4}}\d{{0,3}}(?:\.\d{{1,3}})?[a-z]
    | %(?:\d{{1,2}}\$)?[-+0\#]{{0,4}}\d{{0,3}}(?:\.\d{{1,3}})?(?:hh|h|ll|l|z)?[diouxefgcs@](?![a-z])
    | (?<![\d%])%\d{{1,2}}(?![\w%$]) | (?<![\w%])%[a-z_]\w{{0,60}}%(?!\w) | %%
    | \$[a-z]\w{{0,60}}\$ | \$t\([^()]{{0,200}}\) | @@\w{{1,60}}@@
    | [\U000f0000-\U0010ffff]++
"""
# The ends of file names and of addresses without a scheme.
_ENDS = (
    "html?|xml|json|ya?ml|toml|ini|cfg|conf|csv|tsv|txt|md|rst|pdf|docx?|xlsx?|pptx?|odt|rtf|epub|"
    "png|jpe?g|gif|svg|webp|ico|mp[34]|wav|avi|mov|mkv|zip|gz|tar|bz2|xz|rar|7z|exe|dll|dmg|apk|"
    "deb|rpm|jar|py|js|ts|jsx|tsx|css|scss|php|rb|go|rs|java|kt|swift|cpp|hpp|cs|sh|bat|ps1|sql|"
    "log|lock|env|po|pot|xlf|xliff|srt|vtt|tmx|com|org|net|edu|gov|info|io|dev|app|example|"
    "co\\.\\w\\w"
)
_NAME = rf"""
      (?<![\w./\\~])(?:~|\.\.?)?(?:/[\w.@+-]{{1,100}}){{1,40}}/? | (?<!\w)[a-z]:\\[\w\\.-]{{1,200}}
    | (?<![\w.@/-])[\w-]{{1,64}}(?:[./][\w-]{{1,64}}){{0,20}}\.(?:{_ENDS})(?![\w-])
    | (?<![\w.])[a-z_]\w{{1,60}}(?:\.[a-z_]\w{{1,60}}){{2,20}}(?:\(\))?
    | (?<!\w)[a-z]{{1,60}}(?:_[a-z0-9]{{1,60}}){{1,20}}(?:\(\))?(?!\w) | (?<!\w)[a-z_]\w{{0,60}}\(\)
    | (?<![\w-])--[a-z][\w-]{{1,60}} | (?<![\w:]):[a-z+-][\w+-]{{0,40}}:(?![\w:])
"""
_EMOJI_SIGN = (
    "\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25b6\u25c0\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_EMOJI = rf"[{_EMOJI_SIGN}][{_EMOJI_SIGN}\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]*+"
_KEYCAP = "[0-9#*]\ufe0f?\u20e3"
_PATTERN = re.compile(
    rf"(?P<fixed>{_FIXED})|(?P<name>{_NAME})|(?P<emoji>{_EMOJI}|{_KEYCAP})",
    re.VERBOSE | re.IGNORECASE,
)
_FIXED_PATTERN = re.compile(_FIXED, re.VERBOSE | re.IGNORECASE)
# A text without any of these has no protected word; most sentences are such texts.
# It begins with a set of characters, and has no flag for the case: `re` finds such ones quickly.
_SIGN = re.compile(
    rf"[/\\{{}}%$@_:.(<\u20e3\u24dc{_EMOJI_SIGN}\U000f0000-\U0010ffff-]"
    r"(?:(?<![@_:.(<-])|(?<=@)[\w@]|(?<=\w_)\w|(?<=:)(?i:[A-Z+-])"
    r"|(?i:(?<=tel:)|(?<=mailto:))|(?<=\.)\w|(?<=-)-|(?<=\()\)|(?<=<)%)"
)
_ICU = re.compile(r"\{\s{0,20}\w{1,60}\s{0,20},\s{0,20}(?:plural|select|selectordinal)\s{0,20},")
_BRACE = re.compile(r"[{}]")
_OPENING = {")": "(", "]": "["}
_POSITIONAL = re.compile(r"%[-+0#]*\d*(?:\.\d+)?(?:hh|h|ll|l|z)?[a-zA-Z@]|\{\}")


def find_protected(text: str) -> list[Protected]:
    """Find the protected words of a text, in order.

    Words of kind `fixed` that touch each other, or digits, are one.
    """
    if not _SIGN.search(text):
        return []
    return merge_touching(_merge_icu(text))


def has_fixed(text: str) -> bool:
    """Tell whether a text has a protected word of kind `fixed`."""
    return bool(_SIGN.search(text) and _FIXED_PATTERN.search(text))


def merge_touching(words: Iterable[Protected]) -> list[Protected]:
    """Make one of words of kind `fixed` that touch each other.

    Args:
        words: in order.
    """
    merged: list[Protected] = []
    for word in words:
        last = merged[-1] if merged else None
        if last and last.kind == word.kind == "fixed" and last.end == word.start:
            merged[-1] = Protected(last.start, word.end, "fixed")
        else:
            merged.append(word)
    return merged


def is_positional(word: str) -> bool:
    """Tell whether a protected word has a placeholder that is filled by its position."""
    return bool(_POSITIONAL.search(word))


def _merge_icu(text: str) -> Iterator[Protected]:
    """Yield protected words, of which an argument of an ICU message with its branches is one."""
    arguments = list(_icu_arguments(text))
    position = 0
    for word in _find(text):
        while position < len(arguments) and arguments[position].start <= word.start:
            yield arguments[position]
            position += 1
        if position == 0 or word.start >= arguments[position - 1].end:
            yield word
    yield from arguments[position:]


def _icu_arguments(text: str) -> Iterator[Protected]:
    end = 0
    for match in _ICU.finditer(text):
        if match.start() < end:
            continue
        depth = 0
        for brace in _BRACE.finditer(text, match.start()):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                end = brace.end()
                yield Protected(match.start(), end, "fixed")
                break
        else:
            return


def _find(text: str) -> Iterator[Protected]:
    for match in _PATTERN.finditer(text):
        start, end = match.span()
        if match["emoji"] is not None:
            yield Protected(start, end, "emoji")
        elif match["name"] is not None:
            yield Protected(start, end, "name")
        else:
            end = _end_of_address(text, start, end)
            # A digit beside a stand-in, which is a number, would make another number of it.
            while start and text[start - 1].isdecimal():
                start -= 1
            while end < len(text) and text[end].isdecimal():
                end += 1
            # What follows the braces at the end of an address is a name, which a text in capitals
            # has in capitals.
            inner = text.rfind("{{ ", start + 1, end) + 2 if text.endswith("}}", start, end) else 0
            if inner > 2:
                yield Protected(start, inner, "fixed")
                yield Protected(inner, end, "name")
            else:
                yield Protected(start, end, "fixed")


def _end_of_address(text: str, start: int, end: int) -> int:
    """Leave the punctuation of the sentence out of an address."""
    if text[start] in "{%$@<#" or text.endswith("}}", start, end):
        return end
    first = end
    surplus = {
        closing: text.count(closing, start, end) - text.count(opening, start, end)
        for closing, opening in _OPENING.items()
    }
    while end > start + 1:
        last = text[end - 1]
        if last in surplus and surplus[last] > 0:
            surplus[last] -= 1
        elif last not in ".,;:!?'’*_…|":
            break
        end -= 1
    return end if end > start + 1 else first
