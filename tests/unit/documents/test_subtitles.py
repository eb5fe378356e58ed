"""Subtitles: the text of cues is translated, and times, tags and lines stay."""

import codecs

import pytest

from nmt.documents.content import Code, Text
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import DocumentError, DocumentTooLargeError
from nmt.documents.formats import limits
from nmt.documents.formats.subtitles.document import read_srt, read_vtt
from nmt.documents.formats.subtitles.layout import divide, divide_lines, fit_lines


def srt(*cues, gap=0.1, line_end="\n"):
    """Write cues of three seconds, one after the other."""
    blocks = []
    for number, cue in enumerate(cues, 1):
        begin = int(number * (3 + gap) * 1000)
        times = " --> ".join(
            f"00:{t // 60000:02}:{t // 1000 % 60:02},{t % 1000:03}" for t in (begin, begin + 3000)
        )
        blocks.append(line_end.join([str(number), times, *cue.split("\n"), ""]))
    return line_end.join(blocks)


def read(text, target="tam_Taml", **options):
    options = ReadOptions("eng_Latn", target, **options)
    reader = read_vtt if text.startswith("WEBVTT") else read_srt
    return reader(text.encode(), options)


def texts(document):
    return [
        "".join(piece.text for piece in segment.content if isinstance(piece, Text))
        for segment in document.segments
    ]


def translate(document, change=str.upper):
    translated = []
    for segment in document.segments:
        content = [
            piece
            if isinstance(piece, Code) or piece.raw != piece.text
            else Text(change(piece.text))
            for piece in segment.content
        ]
        # The pieces of a sentence over several cues are one text for a translator.
        if all(isinstance(piece, Text) for piece in content):
            joined = "".join(p.text for p in segment.content if isinstance(p, Text))
            content = [Text(change(joined))]
        translated.append(TranslatedSegment(tuple(content)))
    return document.write(translated).decode()


def same(document):
    return document.write([TranslatedSegment(s.content) for s in document.segments]).decode()


VTT = """WEBVTT - A title
Kind: captions

NOTE
Not translated.

STYLE
::cue(.x) { color: red }

REGION
id:r

name of a cue
00:01.000 --> 00:04.000 align:start region:r
<v Ann>First <c.x>words</c>
of a talk.

NOTE 00:05 --> is no time

00:00:05.000 --> 00:00:06.000
<v.a Bob>It <00:00:05.500>is &amp; was.</v>
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        VTT,
        srt("One text.", "<i>Two\nlines</i>", "- A.\n- B.", "{\\an8}Three", "♪ La ♪", "42"),
        srt("One\ntext.", "Two.", line_end="\r\n").rstrip(),
        "\ufeff" + srt("Text."),
        srt("a")
        + "2\n00:00:09,000 --> 00:00:10,000\n\n3\n00:00:10,000 --> 00:00:11,000\nb\n\nc\n\n\n",
        "1\n00:00:01,000 --> 00:00:02,000 X1:1 X2:2\na\n2\n00:00:02,000 --> 00:00:03,000\nb",
    ],
)
def test_a_file_that_is_not_translated_comes_back(text):
    assert same(read(text)) == text


def test_only_the_words_of_cues_are_translated():
    assert translate(read(VTT)) == (
        VTT.replace("First", "FIRST")
        .replace("words", "WORDS")
        .replace("of a talk.", "OF A TALK.")
        .replace("It <", "IT <")
        .replace("is &amp; was", "IS &amp; WAS")
    )


def test_an_empty_line_inside_an_srt_cue_does_not_end_it():
    text = srt("First.") + "\nSecond.\n\n2\n00:00:30,000 --> 00:00:40,000\n7\n"
    assert texts(read(text)) == ["First.", "Second.", "7"]


def test_a_sentence_over_several_cues_is_one_text():
    document = read(srt("We go to the old", "house on the hill,\nwhich is", "red. It is far."))
    assert texts(document) == ["We go to the old\nhouse on the hill,\nwhich is\nred.", "It is far."]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("It ends.", "next one"),
        ("He said...", "next one"),
        ("We go to the", "- No!"),
        ("<i>We go to the</i>", "house"),
        ("We <i>go</i> to the", "house"),
        ("We go to the", "ANN: house"),
        ("We go to the", "[music]"),
        ("We go to the", "♪ house"),
        ("In 1987 we had", "3 houses"),
        ("- Where?\n- In the", "house"),
    ],
)
def test_cues_of_different_sentences_or_speakers_are_not_joined(first, second):
    assert len(read(srt(first, second)).segments) >= 2


def test_cues_with_equal_tags_around_them_are_joined():
    text = srt("<i>We go to the</i>", "<i>house.</i>")
    assert texts(read(text)) == ["We go to the\nhouse."]
    assert translate(read(text)) == text.replace("We go to the", "WE GO TO THE").replace(
        "house", "HOUSE"
    )


def test_cues_far_from_each_other_are_not_joined():
    assert len(read(srt("We go to the", "house.", gap=1)).segments) == 1
    assert len(read(srt("We go to the", "house.", gap=3)).segments) == 2


def test_voices_of_vtt_are_different_speakers():
    head = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>We go to the\n\n00:02.000 --> 00:03.000\n"
    assert len(read(head + "<v Bob>house\n").segments) == 2
    assert len(read(head + "<v Ann>house\n").segments) == 1


def test_no_cue_gets_empty():
    text = srt("We go to the", "house.")
    assert translate(read(text), lambda _: "வீடு") == text.replace("We go to the", "வீடு").replace(
        "house.", "வீடு"
    )
    assert translate(read(text), lambda _: "") == text


def test_numbers_stay_in_their_cue():
    text = srt("We lived there until 1987", "because of the long war.")
    written = translate(read(text), lambda _: "a bb ccc dddd eeeee 1987 f")
    assert "a bb ccc dddd eeeee 1987\n" in written
    written = translate(read(text), lambda _: "a 1987 bb ccc dddd eeeee f")
    assert "1987" in written.split("\n\n")[0]


def test_dashes_begin_the_lines_of_speakers():
    text = srt("- Who is it?\n- It is me.")
    assert texts(read(text)) == ["Who is it?", "It is me."]
    assert translate(read(text)) == text.replace("Who is it", "WHO IS IT").replace(
        "It is me", "IT IS ME"
    )
    assert texts(read(srt("-No!\n-Yes, –5 degrees"))) == ["No!", "Yes, –5 degrees"]


def test_new_text_cannot_change_the_file():
    new = 'a\n\n00:00:01,000 --> 00:00:02,000\n<b>x</b> {\\an8} & "'
    written = translate(read(srt("One text.")), lambda _: new)
    assert written.count("-->") == 1
    assert "<b>" not in written
    assert "{\\" not in written
    assert "\n\n" not in written.rstrip("\n")
    written = translate(read("WEBVTT\n\n00:01.000 --> 00:02.000\nOne text.\n"), lambda _: new)
    assert "&lt;b&gt;x&lt;/b&gt;" in written
    assert written.count("-->") == 1


def test_times_inside_a_cue_ascend():
    document = read("WEBVTT\n\n00:01.000 --> 00:04.000\nOne <00:02.000>two <00:03.000>three.\n")
    (segment,) = document.segments
    codes = [piece for piece in segment.content if isinstance(piece, Code)]
    content = (Text("x "), codes[1], Text("y "), codes[0], Text("z"))
    written = document.write([TranslatedSegment(content)]).decode()
    assert "x <00:02.000>y <00:03.000>z" in written


def test_long_lines_are_divided():
    text = srt("A text.")
    written = translate(read(text), lambda _: "word " * 12)
    lines = written.rstrip("\n").split("\n")[2:]
    assert len(lines) == 2
    assert abs(len(lines[0]) - len(lines[1])) < 6


def test_a_translation_keeps_the_lines_of_its_source():
    text = srt("One two three\nfour five.")
    assert "1 2 3\n4 5" in translate(read(text), lambda _: "1 2 3\n4 5")


def test_scripts_without_spaces_are_divided_between_characters():
    text = srt("We go to the old house", "on the hill.")
    written = translate(read(text, target="zho_Hans"), lambda _: "我们去山上的老房子，很远。")
    blocks = [block.split("\n")[2:] for block in written.split("\n\n")]
    assert "".join(line for block in blocks for line in block) == "我们去山上的老房子，很远。"
    assert all(block[0] for block in blocks)


@pytest.mark.parametrize(
    ("text", "message"),
    [("No times here", "no line has times"), ("a\0b", "NUL"), ("WEBVTT\n\na\0", "NUL")],
)
def test_what_is_no_subtitle_file_is_refused(text, message):
    with pytest.raises(DocumentError, match=message):
        read(text)


def test_too_many_cues_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_SEGMENTS", 2)
    with pytest.raises(DocumentTooLargeError, match="max_segments"):
        read(srt("a", "b", "c"))


def test_a_file_whose_encoding_lacks_the_translation_becomes_utf_8():
    document = read_srt(
        srt("Café here.").encode("cp1252"), ReadOptions("eng_Latn", "tam_Taml", "windows-1252")
    )
    written = document.write([TranslatedSegment((Text("காபி"),))])
    assert written.startswith(codecs.BOM_UTF8)


def test_text_is_divided_by_the_share_of_letters_or_behind_a_clause_near_it():
    source = ["one two three", "four five"]
    assert divide("aaa bbb ccccc dddd eeee", source, is_unsegmented=False) == [
        "aaa bbb ccccc",
        "dddd eeee",
    ]
    assert divide("aaaa bbbb cccc, d eeee ffff", source, is_unsegmented=False) == [
        "aaaa bbbb cccc,",
        "d eeee ffff",
    ]
    assert divide("a", source, is_unsegmented=False) == ["a", "a"]


def test_lines_are_divided_as_in_the_source():
    assert divide_lines("a b c d", "xx yy\nzz ww", "\r\n", is_unsegmented=False) == "a b\r\nc d"
    assert divide_lines("a", "xx\nyy", "\n", is_unsegmented=False) == "a"
    assert divide_lines(" a  b ", "xx", "\n", is_unsegmented=False) == "a b"


def test_empty_lines_and_too_many_lines_are_joined():
    def fit(text, source="a"):
        return fit_lines(text, source, "\n", is_unsegmented=False, is_alone=True)

    assert fit("a\n\nb") == "a b"
    assert fit("a\nb\nc") == "a b c"
    assert fit("a\n<i>\n</i>b") == "a <i> </i>b"
    assert fit("x" * 100) == "x" * 100
    assert fit("<i>" + "ab " * 20 + "</i>").count("\n") == 1
