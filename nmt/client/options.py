"""The options of translations and documents, which are keys of the requests."""

from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypedDict

TextFormat = Literal["text", "html", "markdown", "json", "srt", "vtt", "xliff", "po"]


class TranslateOptions(TypedDict, total=False):
    """Keys of `POST /v1/translate`; without one, the endpoint decides."""

    source: str
    """FLORES-200 or ISO 639 code, or `auto`."""
    target: str
    domain: str
    format: TextFormat
    engine: str
    """`stable`, `canary` or a digest."""
    glossary: str | Mapping[str, str]
    """Name of a glossary of the endpoint, or terms and their translations."""
    alternatives: int
    """Number of other translations, 0-5."""
    beam_size: int
    details: bool
    """Whether confidence and warnings are wanted."""


class DocumentOptions(TypedDict, total=False):
    """Fields of `POST /v1/documents`; without one, the endpoint decides."""

    source: str
    target: str
    domain: str
    format: str
    engine: str
    glossary: str
    """Name of a glossary of the endpoint."""
    encoding: str
    """Of the file, if it is not UTF-8 and does not declare it."""
