"""Cutting many texts into requests."""

from collections.abc import Iterator, Sequence


def batches(texts: Sequence[str], max_texts: int, max_characters: int) -> Iterator[Sequence[str]]:
    """Cut texts, in their order, into batches within the limits of a request.

    A text that is longer than the limit is a batch of its own, which the endpoint refuses.
    """
    start = characters = 0
    for index, text in enumerate(texts):
        is_full = index - start == max_texts or characters + len(text) > max_characters
        if index > start and is_full:
            yield texts[start:index]
            start, characters = index, 0
        characters += len(text)
    if start < len(texts):
        yield texts[start:]
