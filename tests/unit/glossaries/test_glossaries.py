"""Glossaries by name: their files, the command, and what a replica remembers."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from nmt.errors import InputError, StorageError
from nmt.serving.errors import StorageUnavailableError, UnknownGlossaryError
from nmt.serving.glossaries.glossary import Glossary, read_glossary_file
from nmt.serving.glossaries.store import Glossaries, read_glossary, remove_glossary, write_glossary
from nmt.storage import Storage
from ray_jobs.cli.main import main

PAIR = ("eng_Latn", "tam_Taml")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "storage"))


def glossary(**terms: str) -> Glossary:
    return Glossary(source_language=PAIR[0], target_language=PAIR[1], terms=terms)


def written(tmp_path: Path, text: str, name: str = "terms.tsv") -> Path:
    file = tmp_path / name
    file.write_bytes(text.encode())
    return file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("a.tsv", "river\tநதி\nbig  tree\tபெரிய மரம்\n", id="tabs"),
        pytest.param("a.txt", "\ufeffen\tta\r\nriver\tநதி\r\n\r\nbig tree\tபெரிய மரம்", id="header"),
        pytest.param("a.csv", 'source,target\nriver,நதி\n"big tree","பெரிய மரம்"\n', id="commas"),
        pytest.param("a.tsv", "river\tநதி\nriver\tநதி\nbig tree\tபெரிய மரம்\n", id="the same twice"),
    ],
)
def test_a_file_has_a_term_and_its_translation_on_each_line(tmp_path: Path, name: str, text: str):
    found = read_glossary_file(written(tmp_path, text, name), "en", "ta")
    assert (found.source_language, found.target_language) == PAIR
    assert found.terms == {"river": "நதி", "big tree": "பெரிய மரம்"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no terms: write a term, a tab and its translation on a line"),
        ("source\ttarget\n", "has no terms"),
        ("river\n", "line 1: has 1 column(s), separated by tabs; must be a term and its transl"),
        ("a\tb\nriver\tx\ty\n", "line 2: has 3 column(s)"),
        ("a\tb\n\nriver\t \n", "line 3: the translation is empty"),
        ("\u200b\tb\n", "line 1: the term is empty"),
        ("River\ta\nb\tc\nriver\td\n", "line 3: the term 'river' is on line 1 too"),
        ("a" * 201 + "\tb\n", "line 1: the term has 201 characters"),
        ("".join(f"t{n}\tx\n" for n in range(10_001)), "more than 10000 terms"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError) as error:
        read_glossary_file(written(tmp_path, text), "en", "ta")
    assert message in str(error.value)
    assert "terms.tsv" in str(error.value)


def test_a_file_has_to_be_text_and_the_languages_known(tmp_path: Path):
    (tmp_path / "a.tsv").write_bytes(b"\xff\xfe\0")
    with pytest.raises(InputError, match=r"a\.tsv: is not in UTF-8"):
        read_glossary_file(tmp_path / "a.tsv", "en", "ta")
    with pytest.raises(InputError, match="cannot be read"):
        read_glossary_file(tmp_path / "b.tsv", "en", "ta")
    with pytest.raises(InputError, match="--target: 'xx'"):
        read_glossary_file(written(tmp_path, "a\tb"), "en", "xx")
    with pytest.raises(InputError, match="line 1: not a line of CSV"):
        read_glossary_file(written(tmp_path, '"a"b,c\n', "a.csv"), "en", "ta")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def terms(glossaries: Glossaries, name: str, *pair: str) -> Mapping[str, str]:
    return asyncio.run(glossaries.terms(name, *(pair or PAIR)))


def test_a_replica_follows_a_change_within_the_poll_time(storage: Storage):
    clock = Clock()
    glossaries = Glossaries(storage, "web", 10, clock)
    write_glossary(storage, "web", "legal", glossary(river="நதி"))
    assert terms(glossaries, "legal") == {"river": "நதி"}
    write_glossary(storage, "web", "legal", glossary(river="ஆறு"))
    assert terms(glossaries, "legal") == {"river": "நதி"}
    clock.now = 10
    assert terms(glossaries, "legal") == {"river": "ஆறு"}
    remove_glossary(storage, "web", "legal")
    clock.now = 20
    with pytest.raises(UnknownGlossaryError):
        terms(glossaries, "legal")


def test_an_unknown_glossary_is_answered_with_those_there_are(storage: Storage):
    glossaries = Glossaries(storage, "web", 10)
    with pytest.raises(UnknownGlossaryError, match="no glossary 'x'; it has: none"):
        terms(glossaries, "x")
    write_glossary(storage, "web", "legal", glossary(river="நதி"))
    write_glossary(storage, "other", "foreign", glossary(river="நதி"))
    with pytest.raises(UnknownGlossaryError, match=r"no glossary '\.\./legal'; it has: legal"):
        terms(Glossaries(storage, "web", 10), "../legal")
    with pytest.raises(UnknownGlossaryError, match="is from eng_Latn to tam_Taml, and the text"):
        terms(Glossaries(storage, "web", 10), "legal", "tam_Taml", "eng_Latn")


def test_what_was_read_is_used_while_the_storage_root_fails(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    clock = Clock()
    glossaries = Glossaries(storage, "web", 10, clock)
    write_glossary(storage, "web", "legal", glossary(river="நதி"))
    terms(glossaries, "legal")

    def fail(*_: object) -> None:
        raise StorageError("/secret/place: away")

    monkeypatch.setattr(Storage, "list", fail)
    monkeypatch.setattr(Storage, "read_versioned", fail)
    clock.now = 10
    assert terms(glossaries, "legal") == {"river": "நதி"}
    with pytest.raises(StorageUnavailableError, match=r"^the glossaries cannot be read$"):
        terms(Glossaries(storage, "web", 10), "legal")


def test_a_damaged_glossary_is_named(storage: Storage):
    storage.write_bytes("serving/web/glossaries/bad.json", b"{}")
    with pytest.raises(StorageError, match=r"bad\.json: not a glossary of this release"):
        read_glossary(storage, "web", "bad")


def test_the_command_adds_lists_and_removes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], storage: Storage
):
    def nmt(*words: str) -> str:
        settings = [f"storage={tmp_path / 'storage'}", "serving.name=web"]
        assert main(["glossaries", *words, *settings]) == 0
        return capsys.readouterr().out

    file = str(written(tmp_path, "river\tநதி\n"))
    assert nmt("list") == "endpoint 'web' has no glossaries\n"
    assert nmt("add", "legal", file, "--source", "en", "--target", "ta") == (
        "glossary 'legal' of endpoint 'web' is added: 1 term from eng_Latn to tam_Taml\n"
    )
    assert "is replaced" in nmt("add", "legal", file, "--source", "en", "--target", "ta")
    assert nmt("list").splitlines()[1].split() == ["legal", *PAIR, "1"]
    assert nmt("remove", "legal") == "glossary 'legal' of endpoint 'web' is removed\n"
    assert read_glossary(storage, "web", "legal") is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "what to do? give `add NAME FILE`"),
        (["ad", "x"], "'ad' is not an action: choose one of add, list, remove"),
        (["add", "x", "y"], "for which languages? give --source and --target"),
        (["add", "X/", "y", "--source=en", "--target=ta"], "'X/' is not a name"),
        (["remove", "x"], "has no glossary 'x'; glossaries: none"),
        (["list", "--source=en"], "--source and --target are options of `glossaries add`"),
    ],
)
def test_a_wrong_command_line_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
):
    assert main(["glossaries", *words, f"storage={tmp_path}"]) == 2
    assert message in capsys.readouterr().err
