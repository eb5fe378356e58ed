"""Files of requests: their format, their route and their texts."""

import asyncio
from dataclasses import dataclass, replace

from nmt.documents.content import plain_text
from nmt.documents.document import Document, ReadOptions
from nmt.documents.formats.registry import format_of, read_document
from nmt.serving.types import Served, ServedRoute
from nmt.serving.web.reading.multipart import UploadedFile
from nmt.serving.web.texts.routes import Wanted, choose_route, detect_source
from nmt.serving.web.texts.session import explained

_MAX_SAMPLE = 1000
ANY_LANGUAGE = "eng_Latn"
"""Language of options whose languages are those of a route that is not chosen yet."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read."""

    format: str
    route: ServedRoute
    options: ReadOptions
    document: Document


async def read_file(
    file: UploadedFile,
    wanted: Wanted,
    served: Served,
    *,
    max_characters: int,
    declared: str | None = None,
    options: ReadOptions | None = None,
) -> ReadFile:
    """Read a file, and choose its route, by its texts if the source language is `auto`.

    Args:
        file: from a client.
        wanted: its languages and domain.
        served: what is served.
        max_characters: to translate.
        declared: name of its format; None for that of its name.
        options: how it is read; its languages are replaced by those of the route.

    Raises:
        RequestError: the file or the request is wrong.
    """
    base = options or ReadOptions(ANY_LANGUAGE, ANY_LANGUAGE)

    def read(options: ReadOptions) -> Document:
        return read_document(file.content, name, options, max_characters)

    def detect() -> Wanted:
        return replace(wanted, source=detect_source(_sample(read(base)), wanted, served).language)

    with explained():
        name = format_of(file.name, file.content, declared).name
        if wanted.is_auto:
            # In a thread, as all that takes long.
            wanted = await asyncio.to_thread(detect)
        route = choose_route(wanted, served)
        languages = route.source_language, route.target_language
        chosen = replace(base, source_language=languages[0], target_language=languages[1])
        return ReadFile(name, route, chosen, await asyncio.to_thread(read, chosen))


def _sample(document: Document) -> str:
    """Return the beginning of the texts of a document."""
    texts: list[str] = []
    size = 0
    for segment in document.segments:
        texts.append(plain_text(segment.content)[:_MAX_SAMPLE])
        size += len(texts[-1])
        if size >= _MAX_SAMPLE:
            break
    return " ".join(texts)[:_MAX_SAMPLE]
