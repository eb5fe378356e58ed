"""Events of XML with their places, and changes that leave the rest of a file as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.documents.errors import DocumentError, DocumentTooLargeError
from nmt.documents.formats.xml import events as reading
from nmt.documents.formats.xml.edit import Change, escape_attribute, set_attributes, splice
from nmt.documents.formats.xml.events import read_events, read_source

XML = (
    '<?xml version="1.0"?>\r\n<!DOCTYPE a SYSTEM "a.dtd"><x:a xmlns:x="urn:x" b=\'1\'>\r\n'
    "one &amp; two&#10;<c/><![CDATA[<d>]]><!-- e -->&f;<x:g x:h='é'>é</x:g></x:a> <?i?>\n"
).encode()


def test_events_cover_every_byte_in_order():
    at = 0
    for event in read_events(XML, {}):
        assert event.start == at
        at = event.end
    assert at == len(XML)


def test_text_has_the_line_breaks_of_the_file_and_references_are_alone():
    found = [(e.kind, e.text) for e in read_events(XML, {}) if e.text]
    assert found == [
        ("text", "\r\none "),
        ("text", "&"),
        ("text", " two"),
        ("text", "\n"),
        ("text", "<d>"),
        ("entity", "&f;"),
        ("text", "é"),
    ]


def test_names_have_the_prefix_that_the_reader_gave_their_namespace():
    def names(data: str, **namespaces: str) -> list[str]:
        events = read_events(data.encode(), {v: k for k, v in namespaces.items()})
        return [name for e in events if e.kind == "start" for name in (e.name, *e.attributes)]

    assert names('<p:a xmlns:p="u" p:b="" c=""/>', w="u") == ["w:a", "xmlns:p", "w:b", "c"]
    assert names('<a xmlns="u"><a xmlns=""/></a>', w="u") == ["w:a", "xmlns", "?:a", "xmlns"]
    nested = '<p:a xmlns:p="u"><p:a xmlns:p="v"/><p:a/></p:a>'
    assert names(nested, w="u")[::2] == ["w:a", "?:a", "w:a"]
    assert names("<q:a xml:space=''/>", w="u") == ["?:a", "xml:space"]


def test_long_files_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch):
    whole = list(read_events(XML, {}))
    monkeypatch.setattr(reading, "_MIN_CHUNK", 1)
    monkeypatch.setattr(reading, "_CHUNKS", 10_000)
    assert list(read_events(XML, {})) == whole


def test_too_many_tags_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "MAX_TAGS", 2)
    with pytest.raises(DocumentTooLargeError, match="more than 2 tags"):
        list(read_events(b"<a><b/></a>", {}))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1251", "shift_jis"]
)
def test_a_file_is_encoded_as_it_was(encoding: str):
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?><a>Дa</a>'
    text = text.replace("Д", "é") if encoding == "iso-8859-1" else text
    data = text.encode(encoding)
    source = read_source(data, None)
    assert source.encode(source.data) == data
    lacking = source.encode(source.data.replace(b"</a>", "அ</a>".encode()))
    assert ("அ" if encoding.startswith("utf") else "&#2949;") in lacking.decode(encoding)


def test_a_wrong_or_unknown_encoding_is_refused():
    for declared, message in (("utf-8", "not valid utf-8"), ("rot13", "not a known encoding")):
        data = f'<?xml version="1.0" encoding="{declared}"?><a>é</a>'.encode("latin-1")
        with pytest.raises(DocumentError, match=message):
            read_source(data, None)


def test_attributes_are_set_added_and_removed_in_their_tag():
    tag = "<t a = 'x b=\"1\"' b=\"2\"\n c='3' />"
    assert set_attributes(tag, {"b": 'n"'}) == tag.replace('"2"', '"n&quot;"')
    assert set_attributes(tag, {"c": "n'"}) == tag.replace("'3'", "'n&apos;'")
    assert set_attributes(tag, {"b": None}) == "<t a = 'x b=\"1\"'\n c='3' />"
    assert set_attributes("<t/>", {"d": "4", "e": None}) == '<t d="4"/>'
    assert set_attributes("<t >", {"d": "4"}) == '<t d="4" >'


def test_changes_are_made_in_what_is_between_two_places():
    changes = [Change(2, 4, "X"), Change(5, 5, "é")]
    assert splice(b"0123456789", changes) == "01X4é56789".encode()
    assert splice(b"0123456789", changes, 1, 7) == "1X4é56".encode()


@given(st.text(max_size=40))
def test_any_attribute_value_is_read_back(value: str):
    value = "".join(
        character for character in value if character.isprintable() or character == "\n"
    )
    data = f'<a b="{escape_attribute(value)}"/>'.encode()
    assert next(iter(read_events(data, {}))).attributes["b"] == value
