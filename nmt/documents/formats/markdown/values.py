"""Writing titles of links and values of the front matter."""

import re

from nmt.documents.content import Code, Content, Text
from nmt.documents.formats.escapes import OwnEscapes
from nmt.documents.formats.markdown.front_matter import yaml_plain
from nmt.documents.formats.markdown.places import Place

_SPACE = re.compile(r"\s*[\r\n]\s*")
_TEMPLATE = re.compile(r"\{(?=[{%#])")
_REFERENCE = re.compile(r"&(?=[A-Za-z#])")


def written_value(place: Place, content: Content) -> str:
    """Write a translation of the title of a link, or of a value of the front matter."""
    if place.kind == "yaml" and not place.quote:
        return yaml_plain(_SPACE.sub(" ", _raw(content)).strip())
    own = OwnEscapes(place.content, content)
    pieces: list[str] = []
    for piece in content:
        if isinstance(piece, Code) or piece.raw is not None:
            pieces.append(piece.raw or "")
            own.skip("" if isinstance(piece, Code) else piece.text)
        else:
            text = _SPACE.sub(" ", piece.text)
            pieces.append("".join(own.take(sign) or _escaped(sign, place) for sign in text))
    written = "".join(pieces)
    if place.kind == "title":
        # A backslash does not keep a template language from reading its tags.
        written = _TEMPLATE.sub("&#123;", written)
    return written


def _escaped(sign: str, place: Place) -> str:
    if place.kind == "title":
        if sign == "&":
            return "&amp;"
        return "\\" + sign if sign in ("\\", place.quote, "(", ")", "|", "`", "<") else sign
    if place.quote == "'":
        # TOML has no escapes here, and YAML doubles the quote.
        return {"'": "’" if place.kind == "toml" else "''"}.get(sign, sign)
    return "\\" + sign if sign in '"\\' else sign


def _raw(content: Content) -> str:
    return "".join(
        piece.text if isinstance(piece, Text) and piece.raw is None else piece.raw or ""
        for piece in content
    )
