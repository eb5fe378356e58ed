"""Targets of XLIFF, with their states and language."""

from nmt.documents.formats.xliff.units import Side, Tag, Unit, XliffFile
from nmt.documents.formats.xml.edit import Change, set_attributes, tag_prefix
from nmt.documents.formats.xml.events import XmlSource
from nmt.errors import ConfigError
from nmt.languages import language_tag, resolve_language

_DOUBTFUL_STATE = "nmt:needs-review"


class TargetWriter:
    """A writer of targets into a file."""

    def __init__(self, source: XmlSource, file: XliffFile, language: str) -> None:
        self._source = source
        self._file = file
        self._language = language
        self._changes: list[Change] = []
        self._filled: set[int] = set()

    def write(self, unit: Unit, content: str, *, is_doubtful: bool) -> None:
        """Write the target of a unit."""
        self._filled.add(unit.file)
        if self._file.major == 1:
            state = "needs-review-translation" if is_doubtful else "translated"
            attributes = {"state": state, "state-qualifier": "leveraged-mt"}
            if unit.tag.attributes.get("approved") == "yes":
                # What a machine wrote has not been approved by anybody.
                self._change_tag(unit.tag, {"approved": "no"})
        else:
            attributes = {}
            self._change_tag(
                unit.tag,
                {
                    "state": "initial" if is_doubtful else "translated",
                    "subState": _DOUBTFUL_STATE if is_doubtful else None,
                },
            )
        target = unit.sides.get("target")
        if target:
            self._replace(target, content, attributes)
        else:
            self._insert(unit, content, attributes)

    def changes(self) -> list[Change]:
        """Return all changes in their order, with those of the target language."""
        name = "target-language" if self._file.major == 1 else "trgLang"
        tags = [self._file.root]
        if self._file.major == 1:
            tags = [tag for number, tag in enumerate(self._file.files) if number in self._filled]
        for tag in tags:
            if not self._is_language(tag.attributes.get(name)):
                self._change_tag(tag, {name: language_tag(self._language)})
        return sorted(self._changes)

    def _replace(self, target: Side, content: str, attributes: dict[str, str]) -> None:
        """Write a target that the file has."""
        tag = self._source.raw(target.tag.start, target.tag.end)
        changed: dict[str, str | None] = dict(attributes)
        language = target.tag.attributes.get("xml:lang")
        if language and not self._is_language(language):
            changed["xml:lang"] = language_tag(self._language)
        tag = set_attributes(tag, changed)
        end = self._source.raw(target.content_end, target.end)
        if tag.endswith("/>"):
            tag = f"{tag[:-2].rstrip()}>"
            end = f"</{tag_prefix(tag)}target>"
        self._changes.append(Change(target.tag.start, target.end, tag + content + end))

    def _insert(self, unit: Unit, content: str, attributes: dict[str, str]) -> None:
        """Write a target behind the source, or the segments of it."""
        source = unit.sides["source"]
        end = (unit.sides.get("seg-source") or source).end
        prefix = tag_prefix(self._source.raw(source.tag.start, source.tag.end))
        if source.tag.attributes.get("xml:space"):
            attributes = {**attributes, "xml:space": source.tag.attributes["xml:space"]}
        tag = set_attributes(f"<{prefix}target>", attributes)
        indent = self._source.raw(unit.before_source, source.tag.start)
        new = f"{indent}{tag}{content}</{prefix}target>"
        self._changes.append(Change(end, end, new))

    def _change_tag(self, tag: Tag, attributes: dict[str, str | None]) -> None:
        """Change attributes of a tag."""
        raw = self._source.raw(tag.start, tag.end)
        changed = set_attributes(raw, attributes)
        if changed != raw:
            self._changes.append(Change(tag.start, tag.end, changed))

    def _is_language(self, tag: str | None) -> bool:
        """Tell whether a tag means the language of the translation."""
        try:
            return tag is not None and resolve_language(tag) == self._language
        except ConfigError:
            return False
