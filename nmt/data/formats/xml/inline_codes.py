"""Plain text of a segment of TMX or XLIFF, without its inline elements.

Sources: TMX 1.4b, section "Content markup"; XLIFF 1.2 and 2.1, inline elements.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import regex

from nmt.data.cleaning.detection.markup import BREAKING_TAGS

_CODES = frozenset({"bpt", "ept", "ph", "it", "ut"})
"""Elements that hold codes of another format instead of text of the segment."""
_PAIRED = frozenset(
    {"bpt", "ept", "it", "bx", "ex", "hi", "g", "mrk"} | {"pc", "sc", "ec", "sm", "em"}
)
"""Elements that begin or end a formatting, which may be inside a word."""
_SPACE, _PLACEHOLDER = " ", "\0"
"""Replacements for a break, and for a code whose neighbours must be looked at first."""

_BREAKS = BREAKING_TAGS | {"tab", "lb", "cr", "cell", "row", "line-break", "linebreak"}
"""Breaking elements of HTML and of office formats, as in `<w:br/>`."""
_TAG_NAME = regex.compile(r"<\s*/?\s*(?:[A-Za-z]+:)?([A-Za-z-]+[1-6]?)(?=[\s/>\d]|$)")
_RTF_BREAK = regex.compile(
    r"\\(?:line|par|pard|tab|page|sect|cell|row|column|softline|emspace|enspace)(?![a-z])|\\~"
)
_ESCAPE = regex.compile(r"\\[nrt](?![A-Za-z])|&(?:nbsp|#160|#xA0|#9|#10|#13|#x9|#xA|#xD);", regex.I)
_BREAKING_TYPE = regex.compile(
    r"(?:x-)?(?:html-)?(?:lb|pb|cb|br|tab|nl|nbsp|p|para|paragraph|cell|row"
    r"|(?:line|page|column|soft)[-_ ]?break|new[-_ ]?line)",
    regex.I,
)
_FORMAT_TAGS = frozenset(
    {"a", "abbr", "acronym", "b", "bdo", "big", "c", "cf", "code", "del", "dfn", "em", "f", "font"}
    | {"g", "i", "ins", "kbd", "mark", "q", "s", "samp", "shy", "small", "span", "strike", "strong"}
    | {"sub", "sup", "tt", "u", "var", "wbr"}
)
_FORMAT_TYPE = regex.compile(
    r"(?:x-)?(?:html-)?(?:bold|italic|b|i|u|em|strong|font|color|(?:d|s)?ulined|underlined?|scap"
    r"|struct|link|span|sub|sup|fmt|format(?:ting)?|cf|wbr|shy)",
    regex.I,
)
_RTF_FORMAT = regex.compile(r"(?:[{}\s]|\\[-*_]|\\[a-z]+-?\d* ?)+")
_BETWEEN_WORDS = regex.compile(r"(?<=[\p{L}\p{M}\p{N}])\0+(?=[\p{L}\p{N}])")
_JOINED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
_INSIDE_JOINED = regex.compile(rf"(?<={_JOINED})\0+(?={_JOINED})")


def plain_text(segment: Element) -> str:
    """Return the text of a segment without codes.

    A break or a tab becomes a space. The beginning or end of a formatting is removed, since it may
    be inside a word. Any other code, such as a picture or a variable, becomes a space if it is
    between two words.
    """
    text = "".join(_parts(segment))
    if _PLACEHOLDER not in text:
        return text
    return _BETWEEN_WORDS.sub(" ", _INSIDE_JOINED.sub("", text)).replace(_PLACEHOLDER, "")


def _parts(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name in _CODES or _is_empty(child):
            yield _replacement(name, child)
        else:
            border = _SPACE if name.casefold() in _BREAKS else ""
            yield border
            yield from _parts(child)
            yield border
        yield child.tail or ""


def _is_empty(element: Element) -> bool:
    return len(element) == 0 and not element.text


def _replacement(name: str, element: Element) -> str:
    """Return a space for a break, nothing for a formatting, else a placeholder."""
    # The subtype of XLIFF 2 is more exact than its type: `xlf:lb` of `fmt`.
    subtype = element.get("subType", "").rpartition(":")[2]
    kind = subtype or element.get("type") or element.get("ctype") or ""
    code = _own_code(element)
    tags = {_without_number(tag.casefold()) for tag in _TAG_NAME.findall(code)}
    if (
        name.casefold() in _BREAKS
        or _BREAKING_TYPE.fullmatch(kind)
        or tags & _BREAKS
        or _RTF_BREAK.search(code)
        or _ESCAPE.search(code)
        or (code and not code.strip())
    ):
        return _SPACE
    formatting = (
        name in _PAIRED
        or _FORMAT_TYPE.fullmatch(kind)
        or (tags and tags <= _FORMAT_TAGS)
        or (code != "{}" and _RTF_FORMAT.fullmatch(code))
        or code in ("\xad", "\u200b", "\u200c", "\u200d", "&shy;", "&zwj;", "&zwnj;")
    )
    return "" if formatting else _PLACEHOLDER


def _own_code(element: Element) -> str:
    # Children of a code (`sub`) are separate texts, such as a footnote.
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _without_number(tag: str) -> str:
    # Some tools number their tags, like `br2`; but `h2` is a tag of HTML.
    return tag if tag in _BREAKS else tag.rstrip("123456")
