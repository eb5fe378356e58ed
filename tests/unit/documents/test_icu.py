"""Texts of ICU messages."""

import pytest

from nmt.documents.formats.icu import find_message_texts


def texts(message: str) -> list[tuple[str, bool]] | None:
    found = find_message_texts(message)
    if found is None:
        return None
    return [(message[text.start : text.end], text.is_plural) for text in found]


def test_the_innermost_texts_of_a_message_are_found():
    message = (
        "All: {n, plural, offset:1 =0 {none} one {# is {g, select, a {his} other {}}!} other {#}}."
    )
    assert texts(message.replace("is {g", "is: {g")) == [
        ("All: ", False),
        ("none", True),
        ("# is: ", True),
        ("his", False),
        ("!", True),
        ("#", True),
        (".", False),
    ]


def test_simple_arguments_and_apostrophes_are_part_of_the_texts():
    message = "{n, plural, other {{name}, it's {n, number, ::currency/EUR}.}}"
    assert texts(message.replace("it's {", "it's: {")) == [
        ("{name}, it's: {n, number, ::currency/EUR}.", True)
    ]


@pytest.mark.parametrize(
    "message",
    [
        "Hello {name}",
        "{n, plural, other {a}",
        "{n, plural, other {a}}}",
        "{n, plural, other a}",
        "{n, plural, other {'{'a}}",
        "{n, plural, other {in {folder}}}",
        "in {n, plural, other {a}}",
        "{" + " " * 100_000,
        "{n, plural, other {" * 10_000,
    ],
)
def test_what_cannot_be_divided_is_left(message: str):
    assert texts(message) is None
