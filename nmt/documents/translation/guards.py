"""Signs that the translation of a sentence is wrong."""

from nmt.documents.document import WarningKind


def check_translation(
    source: str, translation: str, source_language: str, target_language: str
) -> tuple[WarningKind, ...]:
    """Find what makes a translation doubtful.

    Args:
        source: the sentence.
        translation: of the sentence.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.
    """
    return () if translation.strip() or not source.strip() else ("empty",)
