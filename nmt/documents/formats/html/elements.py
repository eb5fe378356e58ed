"""What the elements and attributes of HTML mean for a translation."""

from collections.abc import Mapping, Sequence
from typing import Literal

Kind = Literal[
    "inline", "opaque_inline", "opaque", "break", "point", "image", "raw", "textarea", "page"
]

Attributes = Sequence[tuple[str, str]]
"""Names in lower case, and values without their escapes."""

_INLINE = """a abbr acronym b bdi bdo big blink br cite data del dfn em font i ins mark nobr q rp rt
    ruby s small span strike strong sub sup time tt u var"""

_NAMES: tuple[tuple[Kind, str], ...] = (
    ("inline", _INLINE),
    # Their text is the same in every language. In a sentence, each is read as one word.
    ("opaque_inline", "code kbd samp var tt svg math"),
    ("opaque", "script style pre template iframe object xmp plaintext"),
    # Their content is HTML, which the tokenizer gives as one text.
    ("raw", "noscript noframes noembed"),
    ("break", "br"),
    ("point", "wbr"),
    ("image", "img"),
    ("textarea", "textarea"),
    ("page", "html"),
)
KINDS: Mapping[str, Kind] = {name: kind for kind, names in _NAMES for name in names.split()}
"""Elements that are not just blocks."""

VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    ]
)
EXACT = frozenset({"a"})
"""Inline elements whose place must be right, even if a sentence is cut for it."""

_TEXT_ATTRIBUTES = frozenset(["alt", "aria-label", "label", "placeholder", "summary", "title"])
READ = _TEXT_ATTRIBUTES | {"content", "value"}
"""All attributes that people read, of some element at least."""
_BUTTONS = frozenset({"button", "reset", "submit"})
_DESCRIPTIONS = frozenset({"description", "og:description", "og:title"})

_BLOCKS_THAT_END_P = """address article aside blockquote center details dialog dir div dl fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre search
    section table ul"""
ENDED_BY: Mapping[str, frozenset[str]] = {
    "p": frozenset(_BLOCKS_THAT_END_P.split()),
    "li": frozenset({"li"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
    "option": frozenset({"option", "optgroup"}),
    "optgroup": frozenset({"optgroup"}),
    "tr": frozenset({"tr", "tbody", "tfoot"}),
    "td": frozenset({"td", "th", "tr", "tbody", "tfoot"}),
    "th": frozenset({"td", "th", "tr", "tbody", "tfoot"}),
    "rt": frozenset({"rt", "rp"}),
    "rp": frozenset({"rt", "rp"}),
}
"""Elements whose end tag may be missing, with the elements whose start ends them."""

CONTAINERS = frozenset(["ul", "ol", "menu", "dl", "table", "select"])
"""Elements inside which the others of `ENDED_BY` begin anew."""


def text_attributes(tag: str, attributes: Attributes) -> frozenset[str]:
    """Name the attributes that people read, of a tag with such attributes."""
    if tag == "meta":
        names = {value.lower() for key, value in attributes if key in ("name", "property")}
        return frozenset({"content"}) if names & _DESCRIPTIONS else frozenset()
    if tag in ("link", "style", "script"):
        return frozenset()
    if tag == "input" and dict(attributes).get("type", "").lower() in _BUTTONS:
        return _TEXT_ATTRIBUTES | {"value"}
    return _TEXT_ATTRIBUTES


def is_untranslated(attributes: Attributes) -> bool:
    """Tell whether an element asks to be left as it is."""
    for key, value in attributes:
        if key == "translate":
            if value.lower() == "no":
                return True
        elif key == "class" and "notranslate" in value.split():
            return True
    return False
