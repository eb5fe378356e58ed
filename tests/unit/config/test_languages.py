import ast
import importlib.util
import re
from pathlib import Path

import pytest
import regex

from nmt.config import Config, DataConfig
from nmt.errors import ConfigError
from nmt.languages import (
    is_right_to_left,
    iso_code,
    language_tag,
    languages,
    resolve_language,
    script_of,
)


@pytest.mark.parametrize(
    ("given", "flores"),
    [
        ("tam_Taml", "tam_Taml"),
        ("ta", "tam_Taml"),
        ("hi", "hin_Deva"),
        ("no", "nob_Latn"),
        ("zh", "zho_Hans"),
        ("ne", "npi_Deva"),
        ("eng", "eng_Latn"),
        ("zho", "zho_Hans"),
        ("ara", "arb_Arab"),
        ("ger", "deu_Latn"),
        ("en-US", "eng_Latn"),
        ("ta_IN", "tam_Taml"),
        ("en_XX", "eng_Latn"),
        ("es-419", "spa_Latn"),
        ("zh-Hant", "zho_Hant"),
        ("zh-TW", "zho_Hant"),
        ("zh-Hant-HK", "zho_Hant"),
        ("ks-Deva", "kas_Deva"),
        ("sat_Olck", "sat_Beng"),
        ("TAM_taml", "tam_Taml"),
        (" En ", "eng_Latn"),
    ],
)
def test_codes_of_every_kind_resolve(given: str, flores: str) -> None:
    assert resolve_language(given) == flores


def test_every_row_resolves_to_itself() -> None:
    assert [resolve_language(code.upper()) for code in languages()] == list(languages())


def nllb_codes() -> set[str]:
    """Read the codes from the source, since importing transformers takes seconds."""
    package = importlib.util.find_spec("transformers")
    if package is None or package.origin is None:
        pytest.skip("transformers is not installed")
    module = Path(package.origin).parent / "models" / "nllb" / "tokenization_nllb.py"
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("FAIRSEQ_L"):
            return set(ast.literal_eval(node.value))
    raise AssertionError(f"no table of codes in {module}")


def test_the_table_holds_the_codes_of_the_nllb_tokenizer() -> None:
    assert set(languages()) == nllb_codes()


def test_rows_are_sorted_and_well_formed() -> None:
    assert list(languages()) == sorted(languages())
    for language in languages().values():
        assert re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", language.code)
        assert re.fullmatch(r"[a-z]{2,3}", language.iso)
        assert language.name == language.name.strip() != ""


def test_names_are_unique() -> None:
    names = [language.name for language in languages().values()]
    assert len(set(names)) == len(names)


def test_iso_codes_lead_back_to_their_language() -> None:
    for code, language in languages().items():
        assert resolve_language(language.iso).split("_")[0] == code.split("_")[0]


@pytest.mark.parametrize(
    ("flores", "iso"),
    [("tam_Taml", "ta"), ("nob_Latn", "nb"), ("arz_Arab", "arz"), ("zho_Hant", "zh")],
)
def test_iso_code_prefers_two_letters(flores: str, iso: str) -> None:
    assert iso_code(flores) == iso


def test_script_is_that_of_the_text() -> None:
    assert (script_of("tam_Taml"), script_of("en"), script_of("sat_Beng")) == (
        "Taml",
        "Latn",
        "Olck",
    )


def test_every_script_is_known_to_the_unicode_property() -> None:
    composite = {"Hans", "Hant", "Jpan"}
    for script in {language.script for language in languages().values()} - composite:
        assert regex.compile(rf"\p{{Script={script}}}")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("tx", "'ta' or 'te'"),
        ("tamil", "'tam_Taml'"),
        ("Chinese", "'zho_Hans' or 'zho_Hant'"),
        ("tam_Tamil", "'tam_Taml'"),
        ("", "Codes look like"),
    ],
)
def test_unknown_codes_get_the_rule_and_near_codes(given: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="is not a FLORES-200 or ISO 639 language code") as caught:
        resolve_language(given)
    assert repr(given) in str(caught.value)
    assert hint in str(caught.value)


def test_an_unknown_script_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'kas_Arab' or 'kas_Deva'"):
        resolve_language("ks-Latn")


def test_the_tag_of_a_language_means_it_again() -> None:
    assert [code for code in languages() if resolve_language(language_tag(code)) != code] == []
    assert [language_tag(code) for code in ("tam_Taml", "zho_Hans", "zho_Hant")] == [
        "ta",
        "zh",
        "zh-Hant",
    ]


def test_the_direction_of_a_language_is_that_of_its_script() -> None:
    assert is_right_to_left("urd_Arab")
    assert is_right_to_left("heb_Hebr")
    assert not is_right_to_left("tam_Taml")


def test_settings_hold_resolved_codes() -> None:
    data = DataConfig(source_language="en-GB", target_language="ta")
    assert (data.source_language, data.target_language) == ("eng_Latn", "tam_Taml")


def test_a_bad_setting_names_its_key_and_near_codes() -> None:
    with pytest.raises(ConfigError, match=r"data\.target_language: 'tx' is not a .*'ta'"):
        Config.parse({"data": {"target_language": "tx"}})
