"""Tokens of HTML with their sources, which joined are the text.

Everything that depends on the tokenizer `turbohtml` is here.
"""

from collections.abc import Iterator

import turbohtml
from turbohtml import Token

from nmt.documents.errors import DocumentError
from nmt.documents.formats.html.templates import hide_templates

START, END, TEXT = (
    turbohtml.TokenType.START_TAG,
    turbohtml.TokenType.END_TAG,
    turbohtml.TokenType.TEXT,
)
REFERENCE = turbohtml.TokenType.CHARACTER_REFERENCE


def tokenizable(text: str, *, is_string: bool = False) -> str:
    """Return a text of the same length whose tokens have the places of those of `text`.

    Args:
        text: HTML.
        is_string: whether it is a string of another format, in which numbers may be tags.
    """
    # The tokenizer turns CR LF into LF, and so shifts every place behind it. A form feed is white
    # space in the same places as CR, and is left as it is.
    return hide_templates(text.replace("\r", "\f"), is_string=is_string)


def tokenize(text: str) -> Iterator[tuple[Token, str, int]]:
    """Split HTML into tokens.

    Args:
        text: as `tokenizable` returns it.

    Yields:
        Token, its source, and where the source ends. A tag without an end, at the end of the text,
        is no token.

    Raises:
        DocumentError: the sources are not the text.
    """
    position = 0
    for token in turbohtml.tokenize(text, resolve_references=False, capture_source=True):
        source = token.source
        if source is None:
            source = token.data or ""
        if not text.startswith(source, position):
            raise DocumentError(
                f"line {token.line} has characters that HTML does not allow, such as NUL: remove"
                " them."
            )
        position += len(source)
        yield token, source, position
