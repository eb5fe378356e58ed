"""Whether a string of a program is for people."""

import re

from nmt.documents.content import Content, Text

# What people do not read, and what is not part of the words around it. Possessive, and a mail
# address only from its start, so that a long string is passed once.
_NOT_TEXT = re.compile(
    r"""https?://\S++ | www\.\S++ | (?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++
    | \{\{[^{}]*+\}\} | \$?\{[^{}]*+\} | %\([\w.]++\)[-+0\#]*+\d*+[a-zA-Z]
    | %(?:\d++\$)?[-+0\#]*+\d*+(?:\.\d++)?l{0,2}[diouxXeEfgGcs@](?![a-zA-Z]) | %%
    | \$[A-Z][A-Z0-9_]*+\$ | @@[A-Z_]++@@
    """,
    re.VERBOSE,
)
# Emoji, arrows and halves of surrogate pairs: between two words they do not make an identifier.
_SYMBOLS = re.compile(r"[^\w\s\x00-\x7f‘’“”…।。！？]")
_TWO_WORDS = re.compile(r"\w[.!?]?\s+\w")
_SHOWN_WORD = re.compile(r"[A-Z][a-z]+['’]?[a-z]{1,}[.!?:…]*")
_SIGNS = ".,;:!?\"'()[]‘’“”…"
_PLACE_OF_PROGRAMS = re.compile(r"[\d_/.:#\\@=-]|[a-z][A-Z]")


def is_prose(value: str, content: Content) -> bool:
    """Tell whether a string reads as text for people: words, or one word as a page shows it.

    Identifiers, file names, addresses, colours and codes are for programs.

    Args:
        value: the string.
        content: its text and codes.
    """
    text = "".join(piece.text for piece in content if isinstance(piece, Text))
    bare = _SYMBOLS.sub("", _NOT_TEXT.sub("", text)).strip()
    if not any(character.isalpha() for character in bare):
        return False
    if _TWO_WORDS.search(bare) or _SHOWN_WORD.fullmatch(bare) or _has_words(bare):
        return True
    is_for_programs = _PLACE_OF_PROGRAMS.search(bare) is not None
    if not bare.isascii():
        # Identifiers are ASCII. Many scripts have neither capitals nor spaces between words.
        has_case = bare.lower() != bare.upper()
        return not (has_case and is_for_programs)
    if len(bare.split()) > 1:
        return not is_for_programs
    # A word with a placeholder or a tag beside it, such as "{count} items".
    has_space = " " in text.strip() or (bare != value.strip() and "<" in value)
    return bare != value.strip() and has_space and len(bare) > 2 and not is_for_programs


def _has_words(text: str) -> bool:
    """Tell whether a text has two words of letters alone, even with signs between them."""
    words = (word.strip(_SIGNS) for word in text.split())
    return sum(len(word) > 1 and word.isalpha() for word in words) > 1
