"""Documents of every format go through the whole pipeline, and what must survive survives."""

import asyncio
import io
import zipfile
from collections.abc import Callable

import pytest

from nmt.documents.content import Text
from nmt.documents.document import ReadOptions
from nmt.documents.formats.registry import FORMATS, format_of, read_document
from nmt.documents.translation.pipeline import TranslationOptions, translate_segments
from nmt.documents.translator import Candidate
from nmt.errors import InputError

OPTIONS = ReadOptions("eng_Latn", "tam_Taml")

TEXT = """NOTICE\r
\r
  1. Dr. Rao asks you to write to desk@example.org by 9.30 a.m.\r
\t- See https://example.org/a?b=1&c=2#d. It costs 1,250.50 rupees.\r
\r
Dear {name}, you have %d new letters (%(total)s in all).\r
---\r
Does it end here?"""

HTML = """<!DOCTYPE html>
<html lang="ta"><head><title>A small page</title>
<script>if (a < b) { say("Not text"); }</script></head>
<body class="x"><!-- not translated -->
<p>Read the <a href="/terms?a=1&amp;b=2" title="All terms">terms of use</a>, then
press <kbd>Enter</kbd> &amp; wait&nbsp;for <b>{name}</b>.</p>
<pre>code  stays</pre><p translate="no">Brand Name</p>
<img src="a.png" alt="A blue boat"><ul><li>First<li>Second<br>line</ul>
</body></html>
"""

MARKDOWN = """---
title: A small guide
weight: 3
---

# First steps

Run `npm install` and read the [manual](https://example.org/a_(b) "The title"),
which is **very long** and *useful*.

1. One step
   - nested step with {name}
2. Two steps

| Name | Value |
|:-----|------:|
| size | 5 \\| 6 |

```sh
echo "stays"
```

> A quotation with a note.[^1]

[^1]: The note.
"""

JSON = r"""{
  "title": "Small tools", "icon": "a-b.png", "n": [1.0, 1e400],
  "hello": "Hello {name}, you have {{count}} letters.",
  "html": "Read the <a href=\"https:\/\/example.org\/a\">terms</a> &amp; more.",
  "icu": "{n, plural, one {# letter} other {# letters}}",
  "escaped": "It costs 5 \u20ac\nor more."
}
"""

SRT = """1
00:00:01,000 --> 00:00:03,000
<i>We walked along the river</i>

2
00:00:03,100 --> 00:00:05,000
until we reached the

3
00:00:05,100 --> 00:00:07,500 X1:1 X2:2
old bridge in 1987.

4
00:00:08,000 --> 00:00:09,000
{\\an8}- Who are you?
- I am {name}.

5
00:00:10,000 --> 00:00:11,000
\u266a La la la \u266a
"""

VTT = """WEBVTT
Kind: captions

NOTE not text

intro
00:01.000 --> 00:04.000 align:start
<v Ann>We live in <c.loud>Old Town</c>,
and it <00:02.000>rains &amp; rains.

00:04.000 --> 00:06.000
<b>See www.example.org</b> for more
"""

XLIFF = """<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
  <file original="a" source-language="en" target-language="ta" datatype="plaintext"><body>
    <trans-unit id="1"><source>Open the <g id="1">red box</g> &amp; press <x id="2"/>.</source>
    </trans-unit>
    <trans-unit id="2" translate="no"><source>Stays as it is</source></trans-unit>
    <trans-unit id="3" approved="yes"><source>Done</source>
      <target state="final">\u0bae\u0bc1\u0b9f\u0bbf\u0ba8\u0bcd\u0ba4\u0ba4\u0bc1</target>
    </trans-unit>
  </body></file>
</xliff>
"""

PO = r"""# A comment
msgid ""
msgstr ""
"Language: ta\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#: a.c:1
#, c-format
msgid "Copied %d files to \"%s\".\n"
msgstr ""

msgctxt "menu"
msgid "See <b>all</b> pages"
msgid_plural "See <b>%d</b> pages"
msgstr[0] ""
msgstr[1] ""

#~ msgid "Gone"
#~ msgstr "x"
"""

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
DOCX_PART = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document {W}><w:body><w:p><w:r><w:t xml:space="preserve">A short </w:t></w:r>\
<w:r><w:rPr><w:b/></w:rPr><w:t>letter</w:t></w:r><w:r><w:t xml:space="preserve"> about \
https://example.org/a.</w:t></w:r></w:p><w:p><w:r><w:t>Page</w:t></w:r><w:r><w:tab/></w:r>\
<w:r><w:instrText>PAGE</w:instrText></w:r></w:p><w:sectPr/></w:body></w:document>"""


def docx() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
            'officedocument.wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr("word/document.xml", DOCX_PART)
        archive.writestr("word/media/a.bin", bytes(range(256)))
    return out.getvalue()


DOCUMENTS = {
    "a.txt": TEXT.encode(),
    "a.html": HTML.encode(),
    "a.md": MARKDOWN.encode(),
    "a.json": JSON.encode(),
    "a.srt": SRT.encode(),
    "a.vtt": VTT.encode(),
    "a.xlf": XLIFF.encode(),
    "a.po": PO.encode(),
    "a.docx": docx(),
}
# What must be in the translation as often as in the source.
SURVIVE = {
    "a.txt": (
        "\r\n", "  1. ", "\t- ", "desk@example.org", "https://example.org/a?b=1&c=2#d",
        "{name}", "%d", "%(total)s", "---",
    ),
    "a.html": (
        "<!DOCTYPE html>", 'say("Not text")', "<!-- not translated -->", "&amp;", "&nbsp;",
        '<a href="/terms?a=1&amp;b=2"', "</a>", "<kbd>Enter</kbd>", "<b>{name}</b>",
        "<pre>code  stays</pre>", "Brand Name", '<img src="a.png"', "<li>", "<br>",
    ),
    "a.md": (
        "weight: 3", "# ", "`npm install`", "](https://example.org/a_(b)", "**", "1. ", "   - ",
        "{name}", "|:-----|------:|", "\\|", 'echo "stays"', "> ", "[^1]",
    ),
    "a.json": (
        '"icon": "a-b.png", "n": [1.0, 1e400]', "{name}", "{{count}}",
        r'<a href=\"https:\/\/example.org\/a\">', "</a>", "&amp;", "{n, plural, one {",
        "other {", r"\n", '"title": ',
    ),
    "a.srt": (
        "00:00:05,100 --> 00:00:07,500 X1:1 X2:2", "<i>", "</i>", "{\\an8}- ", "\n- ", "{name}",
        "\u266a", "1987",
    ),
    "a.vtt": (
        "Kind: captions", "NOTE not text", "intro\n00:01.000 --> 00:04.000 align:start\n<v Ann>",
        "<c.loud>", "</c>", "<00:02.000>", "&amp;", "<b>", "</b>", "www.example.org",
    ),
    "a.xlf": (
        "Stays as it is", 'state="final"', 'approved="yes"', "<trans-unit", "</target>",
    ),
    "a.po": (
        "# A comment", "#: a.c:1", 'msgctxt "menu"', '#~ msgid "Gone"', "Plural-Forms: ",
    ),
    "a.docx": (
        "<w:tab/>", "<w:instrText>PAGE</w:instrText>", "<w:b/>", "https://example.org/a",
        "<w:sectPr/>", "<w:p>",
    ),
}  # fmt: skip
# They are words of a sentence, which an engine may lose or repeat; the translation is marked then.
WORDS = {"&amp;", "&nbsp;", "1987"}
FAITHFUL = {"identity", "upper", "brackets", "turned"}
ADDED = {"a.xlf": {"</target>": 1}}
TAMIL = "\u0ba8\u0bb2\u0bcd\u0bb2 \u0b9a\u0bca\u0bb2\u0bcd"


def turned(text: str) -> str:
    return " ".join(reversed(text.split()))


def halved(text: str) -> str:
    return " ".join(text.split()[::2])


ENGINES: dict[str, Callable[[str], str]] = {
    "identity": str,
    "upper": str.upper,
    "brackets": "\u27e6{}\u27e7".format,
    "turned": turned,
    "halved": halved,
    "doubled": lambda text: f"{text} {text}",
    "markup": lambda text: f"\"</b>|\n*{text.upper()}*' -->",
    "one word": lambda _: TAMIL,
    "empty": lambda _: "",
}


def translate(name: str, data: bytes, engine: Callable[[str], str]) -> bytes:
    """Translate a file as the endpoint does, with a function in place of the model."""

    async def answer(sentences, search):
        return [[Candidate(engine(sentence), 0.9)] for sentence in sentences]

    document = read_document(data, format_of(name, data).name, OPTIONS)
    options = TranslationOptions("eng_Latn", "tam_Taml")
    return document.write(asyncio.run(translate_segments(document.segments, answer, options)))


def readable(name: str, data: bytes) -> str:
    """Return what a file holds as text."""
    if name == "a.docx":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.read("word/media/a.bin") == bytes(range(256))
            return archive.read("word/document.xml").decode()
    return data.decode()


def test_there_is_a_document_of_every_format():
    assert {format_of(name, data).name for name, data in DOCUMENTS.items()} == set(FORMATS)


@pytest.mark.parametrize("name", sorted(set(DOCUMENTS) - {"a.xlf", "a.po", "a.docx"}))
def test_a_document_is_the_same_if_the_engine_changes_nothing(name):
    assert translate(name, DOCUMENTS[name], str).decode() == DOCUMENTS[name].decode()


@pytest.mark.parametrize("name", ["a.xlf", "a.po", "a.docx"])
def test_a_filled_document_is_the_same_if_it_is_translated_again(name):
    once = translate(name, DOCUMENTS[name], str)
    assert readable(name, translate(name, once, str)) == readable(name, once)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_must_survive_survives(name, engine):
    written = readable(name, translate(name, DOCUMENTS[name], ENGINES[engine]))
    source = readable(name, DOCUMENTS[name])
    lost = {
        piece: (source.count(piece), written.count(piece))
        for piece in SURVIVE[name]
        if (engine in FAITHFUL or piece not in WORDS)
        and written.count(piece) != source.count(piece) + ADDED.get(name, {}).get(piece, 0)
    }
    assert not lost


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_text_is_translated(name):
    document = read_document(DOCUMENTS[name], format_of(name, DOCUMENTS[name]).name, OPTIONS)
    written = readable(name, translate(name, DOCUMENTS[name], str.upper))
    words = [
        piece.text.strip()
        for segment in document.segments
        for piece in segment.content
        if isinstance(piece, Text) and piece.text.strip().isalpha()
    ]
    for word in words:
        assert word.upper() in written


@pytest.mark.parametrize("engine", ["markup", "doubled", "one word"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_translation_can_be_read_again(name, engine):
    written = translate(name, DOCUMENTS[name], ENGINES[engine])
    read_document(written, format_of(name, written).name, OPTIONS)


N = 2_000
HOSTILE = {
    "spaces.txt": " " * N + "\n" + "\t" * N,
    "breaks.txt": "\r" * N,
    "word.txt": "a" * N,
    "divs.html": "<div>" * N,
    "bold.html": "<p>" + "<b>" * N + "x" + "</b>" * N,
    "comments.html": "<!--" * N,
    "tags.html": "<a " * N,
    "amps.html": "&amp" * N,
    "unfinished.html": "<p>A text.</p><a href='",
    "brackets.md": "[" * N,
    "quotes.md": "> " * N + "x",
    "stars.md": "*a _b " * N,
    "ticks.md": "`a``b" * N,
    "deep.json": "[" * N,
    "backslashes.json": '["' + "\\\\" * N,
    "open.json": '{"a": "x y ' + "{n, plural, " * N + '"}',
    "digits.json": "[" + "1" * N + "]",
    "times.srt": "1\n00:00:01,000 --> 00:00:02,000\n" + "--> " * N,
    "dashes.srt": "1\n00:00:01,000 --> 00:00:02,000\n" + "-\n" * N,
    "equal.srt": "1\n00:00:01,000 --> 00:00:02,000\na b\n\n" * N,
    "tags.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<i" * N + "<b>" * 100,
    "escapes.po": 'msgid ""\n' + '"a\\n"\n' * N + 'msgstr ""\n',
    "strings.po": '"' * N,
    "deep.xlf": "<xliff>" + "<g>" * N,
    "laughs.xlf": '<!DOCTYPE x [<!ENTITY a "ha">]><xliff version="1.2">&a;</xliff>',
    "text.docx": "PK\x03\x04" + "x" * N,
    "nul.md": "a\0b",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_or_comes_back(name):
    data = HOSTILE[name].encode()
    refusal = None
    try:
        written = translate(name, data, str)
    except InputError as error:
        written, refusal = data, str(error)
    assert refusal is None or (refusal.endswith(".") and len(refusal) < 400)
    # The empty translations of a PO file are filled.
    assert written == data or name.endswith(".po")
