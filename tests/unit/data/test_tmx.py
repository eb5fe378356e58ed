"""Translation memories: inline elements, and characters that XML forbids."""

import gzip
import logging
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.errors import DataError
from nmt.text.pair import Pair
from tests.support.inputs import read_pairs

FILL = "".join(
    f'<tu><tuv xml:lang="en"><seg>number {n}</seg></tuv>'
    f'<tuv xml:lang="ta"><seg>எண் {n}</seg></tuv></tu>\n'
    for n in range(100)
)


def memory(segment: str, fill: str = "", head: str = '<?xml version="1.0"?>') -> str:
    unit = (
        f'<tu><tuv xml:lang="en"><seg>{segment}</seg></tuv>'
        '<tuv xml:lang="ta"><seg>சொல்</seg></tuv></tu>'
    )
    return f'{head}<tmx version="1.4"><header/><body>{fill}{unit}{fill}</body></tmx>'


def read(path: Path, content: str | bytes) -> list[Pair]:
    path.write_bytes(
        content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    )
    return read_pairs(DataConfig(path=str(path)))["train"]


def source(path: Path, segment: str) -> str:
    return read(path / "x.tmx", memory(segment))[0].source


@pytest.mark.parametrize(
    "code",
    [
        '<ph x="1">&lt;br/&gt;</ph>',
        "<ph>&lt;BR&gt;</ph>",
        "<ph>&lt;br2/&gt;</ph>",
        "<ph>&lt;w:br/&gt;</ph>",
        "<ph>&lt;w:tab w:val='x'/&gt;</ph>",
        "<ph>&lt;text:line-break/&gt;</ph>",
        '<ph type="lb"/>',
        '<ph type="x-br"/>',
        '<ph type="linebreak"/>',
        "<ph>\\n</ph>",
        "<ph>&amp;nbsp;</ph>",
        "<ph>\u00a0</ph>",
        '<it pos="begin">\\line </it>',
        "<it pos='end'>&lt;/li&gt;</it>",
        "<ut>\\tab </ut>",
        "<ut>{\\par }</ut>",
        "<bpt i='1'>&lt;p class='x'&gt;</bpt>",
        "<ept i='1'>&lt;/td&gt;</ept>",
        "<ept i='1'>&lt;/h2&gt;</ept><bpt i='2'>&lt;p&gt;</bpt>",
        "<br/>",
    ],
)
def test_a_break_becomes_a_space(tmp_path: Path, code: str) -> None:
    assert source(tmp_path, f"One.{code}Two") == "One. Two"


@pytest.mark.parametrize(
    "code",
    [
        "<bpt i='1'>&lt;b&gt;</bpt>",
        "<bpt i='1' type='bold'/>",
        "<ept i='1'/>",
        "<ept i='1'>}</ept>",
        "<it pos='begin'>&lt;span class='a'&gt;</it>",
        "<ut>{\\b </ut>",
        "<ut>{\\cs6\\f1\\cf6\\lang1024 </ut>",
        "<ut>}</ut>",
        "<ph>&lt;/i&gt;</ph>",
        "<ph type='italic'/>",
        "<ph>\\-</ph>",
        "<ph>&lt;wbr&gt;</ph>",
        "<ph>&amp;shy;</ph>",
        "<bx id='1'/>",
        "<hi></hi>",
    ],
)
def test_a_formatting_does_not_split_a_word(tmp_path: Path, code: str) -> None:
    assert source(tmp_path, f"un{code}believable") == "unbelievable"


def test_a_formatted_part_of_a_word_stays_in_it(tmp_path: Path) -> None:
    assert source(tmp_path, "un<hi type='bold'>believ</hi>able") == "unbelievable"
    assert source(tmp_path, "un<g id='1'>believ</g>able") == "unbelievable"


@pytest.mark.parametrize("code", ["<ph>{1}</ph>", "<ph/>", "<x id='2'/>", "<ph type='image'/>"])
def test_another_code_does_not_glue_words(tmp_path: Path, code: str) -> None:
    assert source(tmp_path, f"part{code}end") == "part end"
    assert source(tmp_path, f"part {code}, {code}{code}.") == "part , ."
    assert source(tmp_path, f"Hello ({code}), you") == "Hello (), you"


def test_a_code_does_not_split_words_in_scripts_without_spaces(tmp_path: Path) -> None:
    assert source(tmp_path, "点击<ph>{1}</ph>按钮") == "点击按钮"


def test_a_code_does_not_split_off_a_combining_sign(tmp_path: Path) -> None:
    assert source(tmp_path, "க<ph>{1}</ph>ா") == "கா"


def test_a_text_within_a_code_is_not_the_sentence(tmp_path: Path) -> None:
    segment = "See<ph>&lt;img alt='<sub>a red car</sub>'&gt;</ph> here"
    assert source(tmp_path, segment) == "See here"


def test_a_block_element_in_a_segment_separates_words(tmp_path: Path) -> None:
    assert source(tmp_path, "<p>One two</p><p>three</p>") == "One two three"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("go\x02od", "good"),
        ("go&#x1F;od", "good"),
        ("go&#0;od", "good"),
        ("go\x0bod", "go od"),
        ("go&#12;od", "go od"),
        ("go\uffffod", "good"),
        ("go&#xFFFE;od", "good"),
        ("go &#xD83D;&#xDE00; od", "go 😀 od"),
        ("go &#55357;&#56832; od", "go 😀 od"),
        ("go &#xD83D; od", "go \ufffd od"),
        ("go &#xDE00;&#xD83D; od", "go \ufffd\ufffd od"),
        ("go &#x110000;&#99999999999; od", "go \ufffd\ufffd od"),
        ("&#233;&#x1;&lt;&#60;b", "é<<b"),
        ("a&nbsp;caf&eacute; &amp;eacute; &LT; b", "a café &eacute; < b"),
    ],
)
def test_forbidden_characters_are_mended_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, written: str, read_as: str
) -> None:
    with caplog.at_level(logging.WARNING):
        pairs = read(tmp_path / "x.tmx", memory(written, FILL))
    assert len(pairs) == 201
    assert pairs[100].source == read_as
    assert "XML forbids, removed or corrected: " in caplog.text


def test_a_reference_across_two_chunks_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.tmx"
    for size in range(16_220, 16_400, 7):
        segment = "x" * size + " &#xD83D;&#xDE00;&#233;&eacute;&amp; end"
        assert read(path, memory(segment))[0].source.endswith("x 😀éé& end")


def test_nothing_is_said_of_a_clean_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read(tmp_path / "x.tmx", memory("caf&#233; &amp; bar &#x1F600;"))
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-16", "utf-16"), ("utf-16-le", "utf-16"), ("latin-1", "iso-8859-1"), ("utf-8", "utf-16")],
)
def test_other_encodings_are_read(tmp_path: Path, encoding: str, declared: str) -> None:
    text = memory("café\x02 now", head=f'<?xml version="1.0" encoding="{declared}"?>')
    content = text.replace("சொல்", "mot").encode(encoding)
    assert read(tmp_path / "x.tmx", content) == [Pair("café now", "mot")]


def test_bytes_of_another_encoding_are_refused(tmp_path: Path) -> None:
    content = memory("caf\xe9").replace("சொல்", "mot").encode("latin-1")
    with pytest.raises(DataError, match=r"x.tmx, at line 1 or after: bytes that are not utf-8"):
        read(tmp_path / "x.tmx", content)


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    content = memory("a", head='<?xml version="1.0" encoding="klingon"?>')
    with pytest.raises(DataError, match="klingon"):
        read(tmp_path / "x.tmx", content)


def test_an_unknown_entity_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1, column 84: .*undefined entity"):
        read(tmp_path / "x.tmx", memory("&wrong;"))


def test_an_entity_is_refused_in_a_mended_file(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE tmx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    with pytest.raises(DataError, match="refused XML"):
        read(tmp_path / "x.tmx", memory("\x01&b;", head=bomb))


def test_a_packed_memory_is_mended_alike(tmp_path: Path) -> None:
    packed = gzip.compress(memory("go\x02od").encode())
    assert read(tmp_path / "x.tmx", packed)[0].source == "good"
