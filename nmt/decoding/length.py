"""How long a translation may become."""


def output_limit(source_tokens: int) -> int:
    """Bound the tokens of a translation: ends the endless repetition that a weak model falls into.

    Args:
        source_tokens: of its own source, whatever else is in the batch; all marks counted.
    """
    return 2 * source_tokens + 16
