"""Files of XLIFF for tests, and what a translation makes of them."""

from dataclasses import replace
from xml.etree import ElementTree

from nmt.documents.formats.xliff.reader import read_xliff
from tests.support.document_translators import (
    TO_TAMIL,
    texts,
    translate,
    upper,
)


def file_1(units: str, attributes: str = 'target-language="ta"') -> bytes:
    """Return a file of version 1.2."""
    return (
        '<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2" xmlns:x="urn:x:y">'
        f'<file original="a" source-language="en" datatype="html" {attributes}><body>'
        f"{units}</body></file></xliff>"
    ).encode()


def file_2(units: str, attributes: str = 'trgLang="ta"') -> bytes:
    """Return a file of version 2.0."""
    return (
        '<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en" '
        f'{attributes}><file id="f">{units}</file></xliff>'
    ).encode()


def unit_1(inner: str, attributes: str = "") -> bytes:
    return file_1(f'<trans-unit id="1"{attributes}>{inner}</trans-unit>')


def unit_2(inner: str, attributes: str = "") -> bytes:
    return file_2(f'<unit id="u"{attributes}>{inner}</unit>')


def written(data: bytes, change=upper, **options) -> str:
    return translate(read_xliff(data, replace(TO_TAMIL, **options)), change).decode()


def target_text(result: str) -> str:
    """Return the text of the only target."""
    (target,) = ElementTree.fromstring(result).iterfind(".//{*}target")
    return "".join(target.itertext())


def segments(data: bytes, **options) -> list[str]:
    return texts(read_xliff(data, replace(TO_TAMIL, **options)).segments)
