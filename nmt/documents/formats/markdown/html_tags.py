"""Tags of HTML in a text of Markdown."""

from dataclasses import dataclass

from turbohtml import Token

from nmt.documents.content import Code, plain_text
from nmt.documents.formats.html.attributes import value_content, values
from nmt.documents.formats.html.elements import KINDS, VOID, is_untranslated, text_attributes
from nmt.documents.formats.html.inline import Gathered
from nmt.documents.formats.html.skipping import Skipped
from nmt.documents.formats.html.tokens import END, START, tokenizable, tokenize
from nmt.documents.formats.markdown.places import Part, Place

_TEXT = frozenset({"kbd"})
"""Elements that Markdown, having no other marks for it, uses for text such as the name of a key."""


@dataclass(frozen=True, slots=True)
class InlineTag:
    """A tag, a comment or a processing instruction."""

    raw: str
    start: int
    """Where it is, in bytes."""
    token: Token
    masked: str
    """The tag with templates hidden."""

    def begins_skipped(self) -> Skipped | None:
        """Return the element that it begins, if that is to be left as it is."""
        tag = self.token.tag
        if tag is None or self.token.type is not START:
            return None
        is_opaque = KINDS.get(tag) in ("opaque", "opaque_inline") and tag not in _TEXT
        if not is_opaque and not is_untranslated(self.token.attrs or ()):
            return None
        is_empty = self.token.self_closing or tag in VOID
        return None if is_empty else Skipped(tag, self.start)

    def add_to(self, gathered: Gathered) -> Code:
        """Add it to a content."""
        token = self.token
        if token.tag is None:
            return gathered.code(Code(self.raw, "point"))
        kind = KINDS.get(token.tag)
        if kind == "inline" or token.tag in _TEXT:
            if token.type is END:
                return gathered.close(token.tag, self.raw)
            return gathered.open(token.tag, self.raw)
        if kind == "image":
            return gathered.code(Code(self.raw, "word"))
        return gathered.code(Code(self.raw, "point" if kind == "point" else "break"))

    def part(self, path: str) -> Part | None:
        """Return the values of it that people read, if there are any."""
        tag, attributes = self.token.tag, self.token.attrs or ()
        if tag is None or not attributes or is_untranslated(attributes):
            return None
        names = text_attributes(tag, attributes)
        places = [
            Place(
                self.start + len(self.raw[: value.start].encode()),
                self.start + len(self.raw[: value.end].encode()),
                content,
                f"{path} @{value.name}",
                "value",
                value.quote,
            )
            for value in values(self.masked, tag)
            if value.name in names
            for content in [
                value_content(
                    self.raw[value.start : value.end], self.masked[value.start : value.end]
                )
            ]
            if plain_text(content).strip()
        ]
        return Part(self.start, places) if places else None


def read_tag(raw: str, start: int) -> InlineTag | None:
    """Read a tag; None for what HTML does not take for one."""
    masked = tokenizable(raw)
    token = next((token for token in tokenize(masked) if token.source == masked), None)
    return None if token is None else InlineTag(raw, start, token, masked)
