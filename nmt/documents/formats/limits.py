"""Limits of documents, which keep the time and memory of one file small."""

from collections.abc import Iterable, Sequence

from nmt.documents.content import Code, Segment, plain_text
from nmt.documents.errors import DocumentTooLargeError

# A reader checks while it reads, so that a small hostile file cannot take much memory.
MIB = 2**20
MAX_TEXT_BYTES = 10 * MIB
"""Of a file in a text format."""
MAX_ARCHIVE_BYTES = 20 * MIB
"""Of a file that is an archive, such as DOCX."""
MAX_SEGMENTS = 100_000
MAX_DEPTH = 200
"""Of elements, lists and objects inside each other."""
MAX_CODES = 5_000
"""Inline codes of one segment."""
MAX_PIECES = 50_000
"""Escapes, inline codes and texts between them, of one segment."""


def check_bytes(size: int, limit: int) -> None:
    """Refuse a file of too many bytes."""
    if size > limit:
        raise DocumentTooLargeError(
            f"The file has {size:,} bytes; the limit of its format is {limit:,} (max_bytes)."
        )


def check_segment_count(count: int) -> None:
    """Refuse a document of too many segments; readers call it while they count."""
    if count > MAX_SEGMENTS:
        raise DocumentTooLargeError(
            f"The document has more than {MAX_SEGMENTS:,} texts (max_segments). Divide it."
        )


def check_depth(depth: int) -> None:
    """Refuse a document that is nested too deeply; readers call it while they count."""
    if depth > MAX_DEPTH:
        raise DocumentTooLargeError(
            f"The document is nested more than {MAX_DEPTH} levels deep (max_depth)."
        )


def check_code_count(count: int, path: str) -> None:
    """Refuse a segment of too many inline codes; readers call it while they count.

    Args:
        count: of the codes.
        path: of the segment.
    """
    if count > MAX_CODES:
        raise DocumentTooLargeError(
            f"The text at {path[:100]} has more than {MAX_CODES:,} inline codes (max_codes)."
        )


def check_piece_count(count: int) -> None:
    """Refuse a segment of too many pieces, each of which costs time; readers call it early."""
    if count > MAX_PIECES:
        raise DocumentTooLargeError(
            f"A text has more than {MAX_PIECES:,} escapes, codes and pieces between signs "
            "(max_pieces). Divide it."
        )


def check_segments(segments: Sequence[Segment], max_characters: int | None = None) -> int:
    """Refuse a document with too many segments, inline codes or characters to translate.

    Returns:
        The number of characters to translate.
    """
    check_segment_count(len(segments))
    for segment in segments:
        if len(segment.content) > MAX_CODES:
            codes = sum(isinstance(piece, Code) for piece in segment.content)
            check_code_count(codes, segment.path)
    characters = count_characters(segments)
    if max_characters is not None and characters > max_characters:
        raise DocumentTooLargeError(
            f"The document has {characters:,} characters to translate; the limit is "
            f"{max_characters:,} (serving.max_document_characters). Divide it."
        )
    return characters


def count_characters(segments: Iterable[Segment]) -> int:
    """Count the characters of the texts of segments."""
    return sum([len(plain_text(segment.content)) for segment in segments])
