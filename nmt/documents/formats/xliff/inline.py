"""What the inline elements of XLIFF are for a translation."""

import re
from collections.abc import Hashable, Mapping

from nmt.documents.content import CodeKind
from nmt.documents.formats.xliff.pieces import Mark

OPAQUE = frozenset({"x", "bx", "ex", "bpt", "ept", "ph", "it", "ut", "sc", "ec", "cp", "sm", "em"})
"""Elements that are one code, with what is inside them."""
NATIVE = frozenset({"bpt", "ept", "ph", "it", "ut"})
"""Those that hold the code of the original file, in which a `sub` is text."""
_BREAK = re.compile(r"\s*(?:<br\b|\\n\b|\r?\n)", re.IGNORECASE)
_IMAGE = re.compile(r"\s*<img\b", re.IGNORECASE)
_MARKUP = re.compile(r"\s*</?[A-Za-z!]")
_BREAK_TYPES = frozenset({"lb", "pb", "x-br", "xlf:lb", "xlf:pb"})
_LINK_TYPES = frozenset({"link", "x-a", "x-html-a", "xlf:link"})
# Angular names the placeholders of tags after them, and adds a number to equal ones.
_ANGULAR_TAG = re.compile(r"(START|CLOSE)_(\w+?)(?:_\d+)?")


def element_mark(raw: str, kind: CodeKind, key: Hashable, attributes: Mapping[str, str]) -> Mark:
    """Return the mark of a tag of an element around text, such as `g`, `pc` or `mrk`."""
    return Mark(raw, kind, key, _is_link(attributes))


def opaque_mark(
    name: str, raw: str, attributes: Mapping[str, str], inner: str, original: Mapping[str, str]
) -> Mark:
    """Return the mark of an element that is one code.

    Args:
        name: of the element.
        raw: the element.
        attributes: of the element.
        inner: the text inside it.
        original: the codes of the original file that the unit holds, by id.
    """
    get = attributes.get
    is_link = _is_link(attributes)
    match name:
        case "bx" | "bpt":
            return Mark(raw, "open", (name[-1], get("rid") or get("id")), is_link)
        case "ex" | "ept":
            return Mark(raw, "close", ("x" if name == "ex" else "t", get("rid") or get("id")))
        case "sc" | "sm":
            return Mark(raw, "open", (name[0], name[1], get("id")), is_link)
        case "ec" | "em":
            start = "s" + name[1]
            return Mark(raw, "close", (*start, get("startRef") or get("id")))
        case "it":
            return Mark(raw, "close" if get("pos") == "close" else "open")
        case "cp":
            return Mark(raw, "point")
    angular = _ANGULAR_TAG.fullmatch(get("id", "")) if name == "x" else None
    if angular:
        kind: CodeKind = "open" if angular[1] == "START" else "close"
        return Mark(raw, kind, ("tag", angular[2]), angular[2].startswith("LINK"))
    code = inner or get("equiv-text") or original.get(get("dataRef", "")) or get("equiv") or ""
    return Mark(raw, _placeholder_kind(attributes, code))


def _placeholder_kind(attributes: Mapping[str, str], code: str) -> CodeKind:
    """Tell how a placeholder is read, by its type and by the code that it stands for."""
    types = {attributes.get(key, "") for key in ("ctype", "type", "subType")}
    identity = attributes.get("id", "")
    if types & _BREAK_TYPES or _BREAK.match(code) or identity.startswith("LINE_BREAK"):
        return "break"
    is_word = "image" in types or _IMAGE.match(code) or not _MARKUP.match(code)
    return "word" if is_word else "point"


def _is_link(attributes: Mapping[str, str]) -> bool:
    """Tell whether an element is a link, whose place must be right."""
    return any(attributes.get(key) in _LINK_TYPES for key in ("ctype", "type", "subType"))
