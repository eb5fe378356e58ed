"""The end of output that a model does not end by itself."""

_MAX_PERIOD = 200
"""Characters of the longest text whose repetition is recognised."""
_MIN_REPETITIONS = 3
_SLACK_CHARACTERS = 20


def cut_endless(text: str, source_characters: int) -> str:
    """Cut a translation that did not end by itself.

    Args:
        text: the translation up to the limit of the output length.
        source_characters: length of the source text.

    Returns:
        The text without the repetitions at its end, and at most about twice as long as its source.
    """
    text = _without_repetition(text)
    limit = 2 * source_characters + _SLACK_CHARACTERS
    if len(text) <= limit:
        return text
    # At a space, so that the last word is a whole one. Some languages have no spaces.
    return (text[:limit].rpartition(" ")[0] or text[:limit]).rstrip()


def _without_repetition(text: str) -> str:
    """Keep one of several equal parts at the end of a text."""
    # The shortest period first: what repeats after ten characters also repeats after twenty.
    for period in range(1, min(_MAX_PERIOD, len(text) // _MIN_REPETITIONS) + 1):
        repeated = 0
        while repeated < len(text) - period and text[-1 - repeated] == text[-1 - repeated - period]:
            repeated += 1
        # "ha ha ha" is a sentence, and three times a whole sentence is not.
        if repeated >= (_MIN_REPETITIONS - 1) * period and repeated > _SLACK_CHARACTERS:
            return text[: len(text) - repeated].rstrip()
    return text
