"""The codes of languages in requests and answers."""

from nmt.languages import iso_code, language_tag, resolve_language

AUTO = "auto"
"""Source language of a request that leaves it to the endpoint."""
_VARIANTS = {"en": ("EN-GB", "EN-US"), "pt": ("PT-BR", "PT-PT")}
"""Target languages that DeepL's clients name with a region, which makes no difference here."""


def short_code(flores: str) -> str:
    """Return the ISO 639 code of a language, or its FLORES-200 code if ISO's is ambiguous."""
    iso = iso_code(flores)
    return iso if resolve_language(iso) == flores else flores


def deepl_code(flores: str) -> str:
    """Return the code of a language in DeepL's form, such as `TA` or `ZH-HANT`."""
    return language_tag(flores).upper()


def deepl_targets(flores: str) -> tuple[str, ...]:
    """Return the codes by which DeepL's clients name a target language."""
    return _VARIANTS.get(iso_code(flores), (deepl_code(flores),))
