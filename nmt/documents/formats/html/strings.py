"""Strings of other formats that hold HTML: the values of a JSON file, the messages of a PO file."""

from nmt.documents.content import Content
from nmt.documents.formats.html.reading import Reader
from nmt.documents.formats.html.writing import Writer


def inline_content(text: str) -> Content:
    """Read a string that may hold HTML.

    Tags are codes, and those of blocks are breaks between sentences. Attributes stay as they are.
    """
    return Reader(text, is_string=True).read_string()


def inline_text(source: Content, translated: Content) -> str:
    """Write the translation of a string that was read with `inline_content`.

    Args:
        source: what `inline_content` returned.
        translated: its translation.
    """
    if translated == source:
        return "".join(piece.raw or "" for piece in source)
    return Writer(source, translated, is_string=True).write()
