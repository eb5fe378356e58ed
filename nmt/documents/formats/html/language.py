"""The language and direction that a page declares."""

from collections.abc import Iterator
from dataclasses import dataclass

from nmt.documents.formats.html.attributes import values
from nmt.documents.formats.html.templates import HIDDEN
from nmt.languages import is_right_to_left, language_tag

_TAG = "html"


@dataclass(frozen=True, slots=True)
class Change:
    """A part of a document that is replaced by something that is not a translation."""

    start: int
    end: int
    new: str


def language_changes(tag: str, start: int, language: str, *, is_xml: bool) -> Iterator[Change]:
    """Declare the language of the translation, and its direction if that is another one.

    Args:
        tag: the start tag of `<html>`, with templates hidden.
        start: where it starts.
        language: FLORES-200 code of the translation.
        is_xml: whether the page is XHTML, which has the language in another attribute, too.
    """
    wanted = {"lang": language_tag(language)}
    found = {value.name: value for value in values(tag, _TAG)}
    if is_xml and "xml:lang" in found:
        wanted["xml:lang"] = wanted["lang"]
    if is_right_to_left(language) or "dir" in found:
        wanted["dir"] = "rtl" if is_right_to_left(language) else "ltr"
    missing = ""
    changes: list[Change] = []
    for name, new in wanted.items():
        if name not in found:
            missing += f' {name}="{new}"'
            continue
        span = found[name].start, found[name].end
        # A template fills in the language by itself.
        if not HIDDEN.search(tag, *span):
            changes.append(Change(start + span[0], start + span[1], new))
    if missing:
        after_name = start + len(_TAG) + 1
        yield Change(after_name, after_name, missing)
    yield from sorted(changes, key=lambda change: change.start)
