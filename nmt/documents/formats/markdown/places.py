"""The places of texts in a Markdown document."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from nmt.documents.content import Code, Content

Kind = Literal["block", "heading", "cell", "alt", "title", "html", "value", "yaml", "toml"]
"""What surrounds a text, and so how it is written: `title` is the title of a link, `value` an
attribute of HTML, and `yaml` and `toml` a value of the front matter."""


@dataclass(slots=True)
class Place:
    """A text with its place, in bytes of UTF-8."""

    start: int
    end: int
    content: Content
    path: str
    kind: Kind
    quote: str = ""
    """The sign around a value or a title; empty for none."""
    prefixes: tuple[str, ...] = ()
    """What follows each line break: the marks of quotations, and indentation."""
    labels: tuple[str, ...] = ()
    """Of the references in it."""
    parts: "dict[Code, Part]" = field(default_factory=dict)
    """Codes in it that hold texts themselves."""


@dataclass(slots=True)
class Part:
    """A code that holds texts: an image, the end of a link with a title, or a tag of HTML."""

    start: int
    places: list[Place]
    label: str = ""
    """Of a link whose text is its label: `[label]`."""


def inner_places(place: Place) -> Iterator[Place]:
    """List the texts inside the codes of a text."""
    for part in place.parts.values():
        for inner in part.places:
            yield inner
            yield from inner_places(inner)
