"""Tags of template languages in HTML, such as `{{ name }}`, `{% if %}` and `<?php ?>`."""

import re
from collections.abc import Iterator

from nmt.documents.content import Code

_FIRST, _OTHER = "\ufdd1", "\ufdd0"
"""Noncharacters: no text has them, and the tokenizer takes them for letters."""
HIDDEN = re.compile(f"{_FIRST}{_OTHER}*")
"""A template tag in a text of `hide_templates`."""

_CLOSERS = {"{{{": "}}}", "{{": "}}", "{%": "%}", "{#": "#}", "<%": "%>", "<?": "?>"}
_OPENER = re.compile(r"\{\{\{|\{\{|\{%|\{#|<%|<\?(?=php\b|=|\s)|</?[#@][A-Za-z][^<>]*>")
_STRING_OPENER = re.compile(rf"{_OPENER.pattern}|</?\d{{1,4}}\s*/?>")
_MAX_LENGTH = 400
"""Characters of a tag between braces: longer ones are text with braces."""
_ENDS_OTHER = re.compile(r"</(?:script|style)|-->|\n[ \t]*\n", re.IGNORECASE)
"""What a tag between braces does not hold: it would end in another text than it begins in."""


def hide_templates(text: str, *, is_string: bool) -> str:
    """Replace every template tag by as many characters that mean nothing to HTML.

    A tag may hold what ends an attribute or starts an element: `{{ a < b }}`, `{{ url("x") }}`.
    """
    if "{" not in text and "<%" not in text and "<?" not in text and not is_string:
        return text
    pieces: list[str] = []
    written = 0
    for start, end in template_spans(text, is_string=is_string):
        pieces += [text[written:start], _FIRST, _OTHER * (end - start - 1)]
        written = end
    return "".join([*pieces, text[written:]]) if pieces else text


def template_spans(text: str, *, is_string: bool = False) -> Iterator[tuple[int, int]]:
    """Find the places of template tags.

    Args:
        text: HTML or Markdown.
        is_string: whether tags such as `<0>` count.
    """
    # The next closer of each kind, so that many openers without one do not search the text again.
    closers: dict[str, int] = {}
    position = 0
    for match in (_STRING_OPENER if is_string else _OPENER).finditer(text):
        start, opener = match.start(), match.group()
        if start < position:
            continue
        closer = _CLOSERS.get(opener)
        if closer is None:
            position = match.end()
            yield start, position
            continue
        found = closers.get(closer, 0)
        if 0 <= found < match.end():
            found = closers[closer] = text.find(closer, match.end())
        if found < 0 and text.startswith("<?php", start):
            # At the end of a file, PHP needs no end.
            found = len(text)
        if found < 0 or (opener[0] == "{" and not _is_tag(text, start, found)):
            continue
        position = min(found + len(closer), len(text))
        yield start, position


def _is_tag(text: str, start: int, end: int) -> bool:
    return end - start <= _MAX_LENGTH and not _ENDS_OTHER.search(text, start, end)


def template_code(raw: str) -> Code:
    """Return the code of a template tag: a value is read as a word, and a statement as nothing."""
    is_value = raw.startswith(("<%=", "<?=")) or (
        raw.startswith("{{") and raw.lstrip("{")[:1] not in ("#", "/", "^", ">", "!")
    )
    return Code(raw, "word") if is_value else Code(raw, "point", is_exact=True)
