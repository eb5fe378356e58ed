"""Putting translated sentences back into their texts."""

from nmt.text.document import Documents, join_segments
from nmt.text.segment import split_text


def test_each_text_gets_the_translations_of_its_own_sentences() -> None:
    documents = Documents.split(["One. Two.", "---", "Three."], "en")
    assert documents.sentences == ["One.", "Two.", "Three."]
    remaining = iter(["A.", "B.", "C."])
    joined = [join_segments(text, remaining, "tam_Taml") for text in documents.segments]
    assert joined == ["A. B.", "---", "C."]


def test_invisible_characters_are_removed_before_splitting() -> None:
    assert Documents.split(["\u200bOne\u00ad."], "en").sentences == ["One."]


def test_space_and_lines_survive_translation() -> None:
    text = "  One.  Two.\n\n---\n\tThree.\n"
    segments = split_text(text, "en")
    assert join_segments(segments, ["A.", "B.", "C."], "tam_Taml") == "  A.  B.\n\n---\n\tC.\n"


def test_sentences_are_separated_as_in_the_target_language() -> None:
    chinese = split_text("医生在家。医院在哪里？", "zh")
    assert join_segments(chinese, ["One.", "Two?"], "eng_Latn") == "One. Two?"
    english = split_text("One. Two?\nThree.", "en")
    assert join_segments(english, ["一。", "二？", "三。"], "zho_Hans") == "一。二？\n三。"
