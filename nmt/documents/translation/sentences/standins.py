"""Stand-ins: what a model sees in place of words that it must not translate."""

import re
from collections.abc import Iterator, Sequence

_DIGITS = re.compile(r"\d+")
_FIRST_TOKEN = 0xF0000
# Between these, more than 900 tokens would find no number; a sentence is cut long before.
_SMALLEST, _NUMBERS, _STEP = 100, 900, 37


def token(index: int) -> str:
    """Return the private-use character that a protected word is in a sentence."""
    return chr(_FIRST_TOKEN + index)


def numbers_for(sentence: str, count: int, seed: int) -> list[str]:
    """Choose numbers that a sentence does not have.

    Args:
        sentence: any text.
        count: how many.
        seed: others for another seed.
    """
    digits = "".join(
        str(int(character)) if character.isdecimal() else " " for character in sentence
    )
    chosen: list[str] = []
    for number in _numbers(seed):
        if len(chosen) == count:
            break
        if number not in digits:
            chosen.append(number)
    return chosen


def restore_tokens(answer: str, stand_ins: Sequence[str]) -> str | None:
    """Replace the stand-ins in a translation by their tokens.

    A number may be written with the digits of any script, and have an ending.

    Args:
        answer: of the model.
        stand_ins: of each token, in the order of the sentence; alike ones for alike words.

    Returns:
        The translation, or None if not every stand-in is in it exactly once.
    """
    if not stand_ins:
        return answer
    remaining: dict[str, list[str]] = {}
    for index, stand_in in enumerate(stand_ins):
        remaining.setdefault(stand_in, []).append(token(index))
    others = sorted((each for each in remaining if not each.isdecimal()), key=len, reverse=True)
    pattern = re.compile("|".join((*map(re.escape, others), r"\d+")))
    is_right = True

    def restored(match: re.Match[str]) -> str:
        nonlocal is_right
        found = match[0]
        key = str(int(found)) if found.isdecimal() and len(found) <= 9 else found
        if key not in remaining:
            return found
        if not remaining[key]:
            is_right = False
            return found
        return remaining[key].pop(0)

    text = pattern.sub(restored, answer)
    return text if is_right and not any(remaining.values()) else None


def _numbers(seed: int) -> Iterator[str]:
    for index in range(_NUMBERS):
        yield str(_SMALLEST + (seed + index * _STEP) % _NUMBERS)
