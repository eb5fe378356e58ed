"""HTML in sentences: what can be undone is undone, the rest can be recognised."""

import html
import re

_ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'<>]+)"""
# `x < y and y > z` is no tag: nothing but attributes may follow a tag's name.
_TAG = re.compile(rf"</?([a-zA-Z][\w:-]*)(?:\s+[\w:-]+\s*=\s*{_VALUE})*\s*/?>|<!--.*?-->")
BREAKING_TAGS = frozenset(
    {"br", "p", "div", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd"}
    | {"table", "tr", "td", "th", "blockquote", "pre", "section", "article", "option", "title"}
)
"""HTML's elements that begin a new line or cell, so that words do not run on across them."""
_LEFT_OVER = re.compile(rf"</?[a-zA-Z]|<!--|{_ENTITY.pattern}")


def strip_markup(text: str) -> str:
    """Entities unescaped once and tags removed; a tag that breaks a line leaves a space."""
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if "<" in text:
        text = _TAG.sub(lambda tag: " " if (tag[1] or "").lower() in BREAKING_TAGS else "", text)
    return text


def has_markup(text: str) -> bool:
    """Whether a tag or an entity is left."""
    return ("<" in text or "&" in text) and _LEFT_OVER.search(text) is not None
