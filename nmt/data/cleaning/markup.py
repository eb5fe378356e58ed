"""Removal of HTML from sentences, and detection of what is left."""

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
_LEFT_OVER = re.compile(rf"</?[a-zA-Z]|<!--|{_ENTITY.pattern}")


def strip_markup(text: str) -> str:
    """Decode entities and remove tags; a tag that breaks a line becomes a space."""
    # Only once: in a text about HTML, `&amp;lt;` is meant to be read as `&lt;`.
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if "<" in text:
        text = _TAG.sub(lambda tag: " " if (tag[1] or "").lower() in BREAKING_TAGS else "", text)
    return text


def has_markup(text: str) -> bool:
    """Tell whether a text has a tag or an entity."""
    return ("<" in text or "&" in text) and _LEFT_OVER.search(text) is not None
