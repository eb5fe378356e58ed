"""The length limit of translations."""


def output_limit(source_tokens: int) -> int:
    """Limit the tokens of a translation, so that endless repetition of a weak model ends.

    Args:
        source_tokens: tokens of its own source, with all special tokens.
    """
    return 2 * source_tokens + 16
