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


Event = str | dict[str, EventValue]
"""The kind of an event, with its value if it has one."""


def events(text: str) -> Iterator[tuple[Event, dict[str, int]]]:
    """Parse Markdown.

    Yields:
        Event, and the `start` and `end` of its source in bytes of UTF-8.
    """
    return pyromark.events_with_range(text, options=_OPTIONS)  # pyright: ignore[reportReturnType]
