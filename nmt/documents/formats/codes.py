"""What a translation has to keep of the content of its segment."""

from collections import Counter
from itertools import groupby

from nmt.documents.content import Code, Content
from nmt.documents.errors import BrokenDocumentError


def check_codes(source: Content, translated: Content) -> None:
    """Refuse a translation that does not have each code of its source once.

    Raises:
        BrokenDocumentError: it lacks a code, or has one twice.
    """
    before, after = (
        Counter(id(piece) for piece in content if isinstance(piece, Code))
        for content in (source, translated)
    )
    if before != after:
        raise BrokenDocumentError(
            "A translation lacks an inline code of its source, or repeats it."
        )


def is_unchanged(source: Content, translated: Content) -> bool:
    """Tell whether a translation is its source, perhaps with the texts divided otherwise."""
    return all(piece.raw is not None for piece in translated) and _joined(source) == _joined(
        translated
    )


def _joined(content: Content) -> list[Code | str]:
    """Join texts that follow each other, as the file has them."""
    joined: list[Code | str] = []
    for is_code, pieces in groupby(content, lambda piece: isinstance(piece, Code)):
        if is_code:
            joined += [piece for piece in pieces if isinstance(piece, Code)]
        else:
            joined.append("".join(piece.raw or "" for piece in pieces))
    return joined
