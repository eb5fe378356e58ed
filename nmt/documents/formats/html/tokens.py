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


def tokenize(text: str) -> Iterator[Token]:
    """Split HTML into tokens.

    A text has no source but its data. A tag without an end, at the end of the text, is not a token.

    Args:
        text: as `tokenizable` returns it.
    """
    return turbohtml.tokenize(text, resolve_references=False, capture_source=True)


def unreadable(token: Token) -> DocumentError:
    """Return the error of a token whose source is not where it should be."""
    return DocumentError(
        f"Line {token.line} has characters that HTML does not allow, such as NUL. Remove them."
    )
