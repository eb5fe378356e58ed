"""PO files: empty translations are filled, and everything else stays."""

import shutil
import subprocess

import pytest

from nmt.documents.content import Code, Text
from nmt.documents.document import ReadOptions, SegmentWarning, TranslatedSegment
from nmt.documents.errors import DocumentError, DocumentTooLargeError
from nmt.documents.formats import limits
from nmt.documents.formats.po.document import read_po
from nmt.documents.formats.po.strings import escape, string_lines, unescape

HEADER = 'msgid ""\nmsgstr "Language: ta\\nContent-Type: text/plain; charset=UTF-8\\n"\n\n'
DOUBT = (SegmentWarning("numbers", "line 1", "x"),)


def read(text, target="tam_Taml", **options):
    return read_po(text.encode(), ReadOptions("eng_Latn", target, **options))


def texts(document):
    return [
        "".join(piece.text for piece in segment.content if isinstance(piece, Text))
        for segment in document.segments
    ]


def translate(document, change=str.upper, warnings=()):
    translated = [
        TranslatedSegment(
            tuple(
                p if isinstance(p, Code) or p.raw != p.text else Text(change(p.text))
                for p in segment.content
            ),
            warnings=warnings,
        )
        for segment in document.segments
    ]
    return document.write(translated).decode()


def test_only_empty_translations_are_filled():
    done = """# c
#. extracted
#: a.c:1
msgctxt "menu"
msgid "Done"
msgstr "முடிந்தது"

#, fuzzy
#| msgid "Older"
msgid "Old"
msgstr "பழைய"

#~ msgid "Gone"
#~ msgstr "போன"

"""
    file = HEADER + done + 'msgid "Empty one"\nmsgstr ""\n'
    document = read(file)
    assert texts(document) == ["Empty one"]
    assert translate(document) == HEADER + done + 'msgid "Empty one"\nmsgstr "EMPTY ONE"\n'


def test_finished_translations_are_made_anew_if_asked():
    file = HEADER + '#, fuzzy, c-format\nmsgid "Two %d"\nmsgstr "x"\n'
    assert translate(read(file, overwrite=True), lambda text: text.replace("Two", "2")) == (
        HEADER + '#, c-format\nmsgid "Two %d"\nmsgstr "2 %d"\n'
    )


def test_line_ends_and_a_missing_last_one_stay():
    file = HEADER.replace("\n", "\r\n") + 'msgid "A text"\r\nmsgstr ""'
    assert translate(read(file)) == file.removesuffix('""') + '"A TEXT"'


def test_a_message_of_several_lines_is_one_text():
    file = HEADER + 'msgid ""\n"First \\"line\\"\\n"\n"second\\tline"\nmsgstr ""\n'
    document = read(file)
    assert texts(document) == ['First "line"\nsecond\tline']
    assert translate(document).endswith('msgstr ""\n"FIRST \\"LINE\\"\\n"\n"SECOND\\tLINE"\n')


def test_space_at_the_ends_is_that_of_the_message():
    document = read(HEADER + 'msgid "\\n  A text \\n"\nmsgstr ""\n')
    assert texts(document) == ["A text"]
    assert '"\\n"\n"  A TEXT \\n"' in translate(document)


def test_a_doubtful_translation_is_fuzzy():
    file = HEADER + '#: a.c\nmsgid "One"\nmsgstr ""\n\n#, c-format\nmsgid "Two"\nmsgstr ""\n'
    written = translate(read(file), warnings=DOUBT)
    assert '#: a.c\n#, fuzzy\nmsgid "One"\nmsgstr "ONE"\n' in written
    assert '#, fuzzy, c-format\nmsgid "Two"\n' in written
    assert translate(read(file), warnings=DOUBT).count("fuzzy") == 2


PLURAL = 'msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\nmsgstr[1] ""\n'


def test_plural_forms_come_from_both_messages():
    assert translate(read(HEADER + PLURAL), lambda text: text.replace("file", "கோப்பு")).endswith(
        'msgstr[0] "%d கோப்பு"\nmsgstr[1] "%d கோப்புs"\n'
    )


@pytest.mark.parametrize(
    ("rule", "one", "forms"),
    [
        ("nplurals=2; plural=(n != 1)", "%d file", "1m"),
        ("nplurals=1; plural=0", "%d file", "1"),
        ("nplurals=1; plural=0", "One file", "m"),
        ("nplurals=3; plural=(n==1 ? 0 : n==2 ? 1 : 2)", "One file", "1mm"),
        ("nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n>4 ? 1 : 2)", "%d file", "1mm"),
        ("nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n>4 ? 1 : 2)", "One file", "mmm"),
        ("nplurals=3; plural=(n==0 ? 0 : n==1 ? 1 : 2)", "One file", "m1m"),
        ("nplurals=3; plural=(n==0 ? 0 : n==1 ? 1 : 2)", "%d file", "11m"),
    ],
)
def test_each_form_is_made_from_the_message_that_is_right_for_its_numbers(rule, one, forms):
    header = HEADER.replace("\\n", f"\\nPlural-Forms: {rule};\\n", 1)
    empty = "".join(f'msgstr[{number}] ""\n' for number in range(len(forms)))
    file = f'{header}msgid "{one}"\nmsgid_plural "%d things"\n{empty}'
    written = translate(read(file), lambda text: "m" if "things" in text else "1")
    assert [line[-2] for line in written.splitlines() if line.startswith("msgstr[")] == list(forms)


TEMPLATE = (
    'msgid ""\nmsgstr ""\n"Language: \\n"\n'
    '"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\\n"\n\n'
)


def test_a_template_gets_the_plural_forms_of_the_language():
    written = translate(read(TEMPLATE + PLURAL, target="pol_Latn"), str.title)
    assert '"Language: pl\\n"\n"Plural-Forms: nplurals=3;' in written
    assert written.endswith('msgstr[0] "%D File"\nmsgstr[1] "%D Files"\nmsgstr[2] "%D Files"\n')


def test_forms_that_the_language_does_not_have_are_removed_from_a_template():
    written = translate(read(TEMPLATE + PLURAL, target="jpn_Jpan"), str.title)
    assert "Plural-Forms: nplurals=1; plural=0;" in written
    assert written.endswith('msgstr[0] "%D File"\n')


def test_a_file_without_plural_forms_in_its_header_gets_them_if_it_needs_them():
    assert "Plural-Forms" not in translate(read(HEADER + 'msgid "a b"\nmsgstr ""\n'))
    assert '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"' in translate(read(HEADER + PLURAL))


def test_plural_forms_of_a_header_stay():
    header = HEADER.replace("\\n", "\\nPlural-Forms: nplurals=2; plural=(n > 1);\\n", 1)
    assert header in translate(read(header + PLURAL, target="tam_Taml"))


def test_the_header_gets_the_language_and_nothing_else():
    header = (
        '# T\n#, fuzzy\nmsgid ""\nmsgstr ""\n"Project-Id-Version: x 1\\n"\n'
        '"Language: \\n"\n"X: y\\n"\n'
    )
    assert translate(read(header)) == header.replace("Language: ", "Language: ta")
    assert translate(read(header, target="zho_Hant")) == header.replace(": \\n", ": zh_TW\\n", 1)
    without = header.replace('"Language: \\n"\n', "")
    assert translate(read(without)) == without + '"Language: ta\\n"\n'
    regional = header.replace("Language: ", "Language: ta_IN")
    assert translate(read(regional)) == regional


def test_a_template_declares_utf_8():
    file = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=CHARSET\\nLanguage: ta\\n"\n'
    assert translate(read(file)) == file.replace("CHARSET", "UTF-8")


def test_a_file_whose_encoding_lacks_the_translation_becomes_utf_8():
    file = HEADER.replace("UTF-8", "ISO-8859-1") + '# é\nmsgid "A text"\nmsgstr ""\n'
    document = read_po(file.encode("latin-1"), ReadOptions("eng_Latn", "tam_Taml"))
    written = translate(document, lambda _: "உரை")
    assert "charset=UTF-8" in written
    assert "# é" in written


def test_placeholders_that_a_program_reads_are_not_added():
    file = HEADER + '#, c-format\nmsgid "%d percent"\nmsgstr ""\n'
    assert 'msgstr "100%% of %d"' in translate(read(file), lambda _: "100% of %d")
    file = HEADER + '#, python-brace-format\nmsgid "{a} here"\nmsgstr ""\n'
    assert 'msgstr "{a} {{x}}"' in translate(read(file), lambda _: "{a} {x}")


def test_flags_of_formats_say_that_placeholders_keep_their_order():
    file = HEADER + '#, c-format, no-wrap\nmsgid "a b"\nmsgstr ""\n\nmsgid "c d"\nmsgstr ""\n'
    assert [segment.positional for segment in read(file).segments] == [True, False]


def test_tags_and_entities_are_codes():
    file = HEADER + 'msgid "Read <a href=\\"%1$s\\">more</a>&hellip;"\nmsgstr ""\n'
    codes = [piece.raw for piece in read(file).segments[0].content if isinstance(piece, Code)]
    assert codes == ['<a href=\\"%1$s\\">', "</a>", "&hellip;"]
    assert 'READ <a href=\\"%1$s\\">MORE</a>&hellip;' in translate(read(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/etc/hostname", "line 1: '/etc/hostname' is not a keyword"),
        ('msgid "a\nmsgstr ""\n', "line 1"),
        ('msgid "a"\n', "line 1: an entry without msgstr"),
        ('msgstr "a"\n', "line 1: msgstr without msgid"),
        ('"a"\n', "line 1: a string needs a keyword"),
        ('msgid "a"\nmsgid "b"\nmsgstr ""\n', "line 2: a second msgid"),
        ('msgid "a"\nmsgstr[0] ""\n', "line 2: .*plural"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr ""\n', "line 3: .*plural"),
        ('\n# c\nmsgid "a" x\nmsgstr ""\n', "line 3"),
        ("# only comments\n", "no msgid"),
    ],
)
def test_what_is_not_po_is_refused_with_its_line(text, message):
    with pytest.raises(DocumentError, match=message):
        read(text)


def test_too_many_messages_and_escapes_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_SEGMENTS", 100)
    with pytest.raises(DocumentTooLargeError, match="max_segments"):
        read("".join(f'msgid "a {n}"\nmsgstr ""\n' for n in range(101)))
    with pytest.raises(DocumentTooLargeError, match="max_escapes"):
        read('msgid ""\n' + '"a\\n"\n' * 60_000 + 'msgstr ""\n')


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"a\n\t\r\a\b\f\v\"\\", 'a\n\t\r\a\b\f\v"\\'),
        (r"\101\x41\q", "AAq"),
        ("plain", "plain"),
        (r"\303\251", "\ufffd\ufffd"),
    ],
)
def test_escapes_are_those_of_c(raw, text):
    found = unescape(raw)
    assert found.text == text
    assert found.raw(0, len(text)) == raw


def test_new_text_is_escaped():
    assert escape('a"\\\n\x01é') == r"a\"\\\n\001é"


def test_long_strings_are_wrapped_at_words():
    raw = "word " * 40
    lines = list(string_lines("msgstr", raw, is_wrapped=True))
    assert lines[0] == 'msgstr ""'
    assert all(len(line) <= 79 for line in lines)
    assert "".join(line[1:-1] for line in lines[1:]) == raw
    assert list(string_lines("msgstr", raw, is_wrapped=False)) == [f'msgstr "{raw}"']


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not installed")
def test_gettext_accepts_the_result(tmp_path):
    file = HEADER.replace("\\n", "\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n", 1) + (
        '#, c-format\nmsgid "\\nCopied %d files to \\"%s\\"\\n"\nmsgstr ""\n\n'
        f"#, c-format\n{PLURAL}"
    )
    path = tmp_path / "a.po"
    path.write_bytes(translate(read(file), lambda text: text).encode())
    subprocess.run(["msgfmt", "-c", "-o", tmp_path / "a.mo", path], check=True)
