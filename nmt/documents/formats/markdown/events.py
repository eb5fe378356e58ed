"""Events of the Markdown parser `pyromark`, with their places in bytes."""

from collections.abc import Iterator

import pyromark
from pyromark import Options

_OPTIONS = (
    Options.ENABLE_TABLES
    | Options.ENABLE_FOOTNOTES
    | Options.ENABLE_TASKLISTS
    | Options.ENABLE_STRIKETHROUGH
    | Options.ENABLE_HEADING_ATTRIBUTES
    | Options.ENABLE_YAML_STYLE_METADATA_BLOCKS
    | Options.ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
)

EventValue = object
"""What the parser says of an event: the text of a text, the name or parts of an element."""


def events(text: str) -> Iterator[tuple[str, EventValue, int, int]]:
    """Parse Markdown.

    Yields:
        Kind of the event, its value, and where its source starts and ends, in bytes of UTF-8.
    """
    for event, place in pyromark.events_with_range(text, options=_OPTIONS):
        if isinstance(event, str):
            yield event, None, place["start"], place["end"]
        else:
            for kind, value in event.items():
                yield kind, value, place["start"], place["end"]
