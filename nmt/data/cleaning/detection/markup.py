"""Removal of HTML from sentences, and detection of HTML and other markup that is left."""

import html
import re

_ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'<>]+)"""
# `x < y and y > z` is not a tag: only attributes may follow the name of a tag.
_TAG = re.compile(rf"</?([a-zA-Z][\w:-]*)(?:\s+[\w:-]+\s*=\s*{_VALUE})*\s*/?>|<!--.*?-->")
BREAKING_TAGS = frozenset(
    {"br", "p", "div", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd"}
    | {"table", "tr", "td", "th", "blockquote", "pre", "section", "article", "option", "title"}
)
"""HTML elements that begin a new line or cell, so that they separate words."""
_ATTRIBUTES = (
    "align|alt|bgcolor|border|cellpadding|class|colspan|face|height|href|id|lang|name|rel|rowspan"
    "|size|src|style|target|title|type|url|valign|width"
)
_LEFT_OVER = re.compile(
    # A mail address may be in angle brackets too.
    rf"</?[a-zA-Z][\w:-]*(?![\w:.@-])|<!--|-->|{_ENTITY.pattern}"
    # The end of a tag whose beginning is lost, and the inside of one.
    rf"|/>|\b(?:{_ATTRIBUTES})\s*=\s*[\"'][^\"']*[\"']"
    # Wikis: links, templates, tables and emphasis.
    r"|\[\[|\]\]|\{\{(?!\s*[\w.]+\s*\}\})|\s\}\}|^\}\}|\{\||\|\}|'''"
    # Letters as escapes of JSON, or of an address that is not there: `\u0b85`, `%E0%AE%85`.
    r"|\\u[0-9a-f]{4}|(?<!\S)(?!\S*(?:/|www\.))\S*(?:%[89A-F][0-9A-F]){3}"
    # Forums.
    r"|\[/(?:b|i|u|url|img|quote|code|size|color|list)\]|\[(?:url|img|quote|size|color)=[^\]]*\]",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")


def strip_markup(text: str) -> str:
    """Decode entities and remove tags; a tag that breaks a line becomes a space."""
    # Only once: in a text about HTML, `&amp;lt;` is meant to be read as `&lt;`.
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if "<" in text:
        text = _TAG.sub(lambda tag: " " if (tag[1] or "").lower() in BREAKING_TAGS else "", text)
    return text


def find_markup(source: str, target: str) -> str | None:
    """Return the first tag, entity or piece of a wiki's markup in a pair, or None."""
    found = _LEFT_OVER.search(source) or _LEFT_OVER.search(target)
    if found:
        return found[0]
    # `{{name}}` is a placeholder in an interface, and its translation has it too.
    names = [set(_PLACEHOLDER.findall(text)) for text in (source, target)]
    return min(names[0] ^ names[1], default=None)
