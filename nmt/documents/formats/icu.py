"""ICU messages, such as `{n, plural, one {# file} other {# files}}`: where their texts are."""

import re
from dataclasses import dataclass

# Possessive quantifiers, so that a long run of spaces takes no more than linear time.
IS_MESSAGE = re.compile(r"\{\s*+\w++\s*+,\s*+(?:plural|select|selectordinal)\s*,")
_ARGUMENT = re.compile(
    r"\{\s*+\w++\s*+,\s*+(plural|select|selectordinal)\s*+,\s*+(?:offset\s*:\s*\d+\s*)?"
)
_SIMPLE_ARGUMENT = re.compile(r"\{\s*+[\w.:-]*+\s*+(?:,\s*+\w++\s*+(?:,[^{}']*+)?+)?+\}")
_CHOICE = re.compile(r"\s*+(?:=\d++|\w++)\s*+\{")
_END = re.compile(r"\s*+\}")
_TEXT = re.compile(r"(?:[^{}']++|'(?![{}#|]))+")
# A word before an argument, which programs that look for choices with a pattern take for one.
_LIKE_CHOICE = re.compile(r"[\w-]\s*+\{")


@dataclass(frozen=True, slots=True)
class MessageText:
    """Where a text of a message is."""

    start: int
    end: int
    is_plural: bool
    """Whether `#` stands for the number in it."""


def find_message_texts(message: str) -> list[MessageText] | None:
    """Find the texts of an ICU message: those that no other one is inside of.

    Simple arguments, such as `{name}`, are part of the texts.

    Returns:
        The texts that are not empty, in order; None if it is not a valid ICU message, has no plural
        and no choice, or has quoted signs or an argument behind a word, so that it is better left
        as it is.
    """
    texts: list[MessageText] = []
    # Whether each argument around the place is a plural, the innermost last.
    plurals: list[bool] = []
    at = start = 0
    in_text = True
    while at < len(message):
        if not in_text:
            # Behind a choice comes another one, or the end of its argument.
            found = _CHOICE.match(message, at) or _END.match(message, at)
            if found is None:
                return None
            if found[0].endswith("}"):
                plurals.pop()
            in_text = True
            at = start = found.end()
        elif found := _TEXT.match(message, at) or _SIMPLE_ARGUMENT.match(message, at):
            at = found.end()
        else:
            texts.append(MessageText(start, at, bool(plurals) and plurals[-1]))
            found = _ARGUMENT.match(message, at)
            if found:
                plurals.append(found[1] != "select")
            elif not plurals or message[at] != "}":
                return None
            in_text = False
            at = found.end() if found else at + 1
    if plurals or not in_text:
        return None
    texts.append(MessageText(start, len(message), False))
    # One character more than the text: a brace behind its last word.
    if any(_LIKE_CHOICE.search(message, text.start, text.end + 1) for text in texts):
        return None
    return [text for text in texts if text.start < text.end] if len(texts) > 1 else None
