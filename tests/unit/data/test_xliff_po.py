"""Translation files of localisation: XLIFF 1.2 and 2, and PO."""

import logging
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.errors import DataError
from nmt.text.pair import Pair
from tests.support.inputs import read_pairs

XLIFF_1 = """<?xml version="1.0"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
  <file original="a" source-language="en-US" target-language="ta"><header/><body>
    <group id="g"><trans-unit id="1">
      <source>Open the <g id="1">red</g> box<x id="2" ctype="lb"/>now.</source>
      <target state="final">சிவப்பு<g id="1">ப்</g> பெட்டியைத் திற.</target>
      <alt-trans><source>Shut</source><target>மூடு</target></alt-trans>
    </trans-unit></group>
    <trans-unit id="2"><source>Delete</source><target state="new">Delete</target></trans-unit>
    <trans-unit id="3"><source>Keep</source></trans-unit>
    <trans-unit id="4"><source>Empty</source><target/></trans-unit>
    <trans-unit id="5" translate="no"><source>Name</source><target>Name</target></trans-unit>
    <trans-unit id="6">
      <source>One. Two.</source>
      <seg-source><mrk mtype="seg" mid="0">One.</mrk>
        <mrk mtype="seg" mid="1">Two.</mrk></seg-source>
      <target><mrk mtype="seg" mid="0">ஒன்று.</mrk> <mrk mtype="seg" mid="1">இரண்டு.</mrk></target>
    </trans-unit>
  </body></file>
  <file original="b" source-language="en" target-language="de"><body>
    <trans-unit id="1"><source>House</source><target>Haus</target></trans-unit>
  </body></file>
</xliff>
"""
XLIFF_2 = """<?xml version="1.0"?>
<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en" trgLang="ta">
  <file id="f"><unit id="1">
    <segment>
      <source>A <pc id="1">nested</pc> word<ph id="2" type="fmt" subType="xlf:lb"/>here</source>
      <target>ஒரு <pc id="1">உள்</pc> சொல்</target></segment>
    <ignorable><source> </source><target> </target></ignorable>
    <segment state="initial"><source>Copy</source><target>Copy</target></segment>
    <segment state="translated"><source>Close</source><target>மூடு</target></segment>
  </unit></file>
</xliff>
"""
PO = r"""# A comment
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Language: ta_IN\n"

msgid "Open"
msgstr "திற"

msgid ""
"A long "
"\"line\".\n"
msgstr "நீண்ட வரி.\n"

#, fuzzy
msgid "Guess"
msgstr "யூகம்"

msgid "Later"
msgstr ""

msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d கோப்பு"
msgstr[1] "%d கோப்புகள்"

#~ msgid "Old"
#~ msgstr "பழைய"
"""


def read(path: Path, content: str | bytes, **settings: str) -> list[Pair]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_pairs(DataConfig.model_validate({"path": str(path), **settings}))["train"]


EXPECTED_1 = [
    Pair("Open the red box now.", "சிவப்புப் பெட்டியைத் திற."),
    Pair("One.", "ஒன்று."),
    Pair("Two.", "இரண்டு."),
]
EXPECTED_2 = [Pair("A nested word here", "ஒரு உள் சொல்"), Pair("Close", "மூடு")]


@pytest.mark.parametrize("name", ["x.xlf", "x.xliff", "x.sdlxliff"])
@pytest.mark.parametrize(("text", "pairs"), [(XLIFF_1, EXPECTED_1), (XLIFF_2, EXPECTED_2)])
def test_translated_segments_of_xliff_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, text: str, pairs: list[Pair]
) -> None:
    with caplog.at_level(logging.WARNING):
        assert read(tmp_path / name, text) == pairs
    assert "skipped units without a translation: " in caplog.text


def test_xliff_is_read_in_the_other_direction(tmp_path: Path) -> None:
    pairs = read(tmp_path / "x.xlf", XLIFF_2, source_language="ta", target_language="en")
    assert pairs == [Pair(pair.target, pair.source) for pair in EXPECTED_2]


def test_xliff_of_other_languages_is_refused_with_its_languages(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"en to ta \(3 units\)"):
        read(tmp_path / "x.xlf", XLIFF_2, target_language="de")


def test_xliff_without_translations_is_refused(tmp_path: Path) -> None:
    text = XLIFF_2.replace("<target>", "<note>").replace("</target>", "</note>")
    with pytest.raises(DataError, match="no unit has a translation yet"):
        read(tmp_path / "x.xlf", text)


def test_entities_in_xliff_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    with pytest.raises(DataError, match="refused XML"):
        read(tmp_path / "x.xlf", XLIFF_2.replace("<xliff", f"{bomb}<xliff", 1))


EXPECTED_PO = [
    Pair("Open", "திற"),
    Pair('A long "line".', "நீண்ட வரி."),
    Pair("%d file", "%d கோப்பு"),
    Pair("%d files", "%d கோப்புகள்"),
]


def test_translated_messages_of_po_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert read(tmp_path / "x.po", PO) == EXPECTED_PO
    assert "skipped messages: 1 without a translation, 1 fuzzy" in caplog.text


def test_po_is_read_in_the_other_direction(tmp_path: Path) -> None:
    pairs = read(tmp_path / "x.po", PO, source_language="ta", target_language="en")
    assert pairs == [Pair(pair.target, pair.source) for pair in EXPECTED_PO]


def test_po_of_another_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a translation into 'ta_IN', as its header says"):
        read(tmp_path / "x.po", PO, target_language="de")


def test_po_in_the_encoding_of_its_header_is_read(tmp_path: Path) -> None:
    text = PO.replace("UTF-8", "iso-8859-1").replace("ta_IN", "fr")
    content = text.replace("திற", "Ouvré").encode("latin-1", "replace")
    assert read(tmp_path / "x.po", content, target_language="fr")[0] == Pair("Open", "Ouvré")


def test_translations_into_other_languages_in_a_folder_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, content in (("ta.po", PO), ("de.po", PO.replace("ta_IN", "de"))):
        (tmp_path / name).write_text(content)
    (tmp_path / "de.xlf").write_text(XLIFF_2.replace('trgLang="ta"', 'trgLang="de"'))
    (tmp_path / "ta.xlf").write_text(XLIFF_2)
    assert read_pairs(DataConfig(path=str(tmp_path)))["train"] == [*EXPECTED_PO, *EXPECTED_2]
    assert "de.po: ignored, since it is a translation into 'de'" in caplog.text
    assert "de.xlf: no file translates between eng_Latn and tam_Taml" in caplog.text


def test_damaged_po_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a valid PO file"):
        read(tmp_path / "x.po", PO.replace('msgid "Open"', 'word "Open"'))
    with pytest.raises(DataError, match="no message has a translation"):
        read(tmp_path / "x.po", 'msgid "a"\nmsgstr ""\n')
