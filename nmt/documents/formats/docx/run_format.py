"""The properties of runs: how text looks, and its language."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from nmt.languages import is_right_to_left, language_tag, script_of

_NOT_SEEN = frozenset({"w:lang", "w:noProof", "w:proofErr"})
# Properties have a fixed order; these come after the language.
_AFTER_LANGUAGE = frozenset({"w:eastAsianLayout", "w:specVanish", "w:oMath", "w:rPrChange"})
_AFTER_DIRECTION = _AFTER_LANGUAGE | {"w:cs", "w:em", "w:lang"}
_EAST_ASIAN = frozenset({"Hans", "Hant", "Jpan", "Hang"})
# Word reads the language and the font of these scripts from the attributes for "complex" ones.
_COMPLEX = frozenset(
    {"Arab", "Hebr", "Deva", "Beng", "Taml", "Telu", "Knda", "Mlym", "Gujr"}
    | {"Guru", "Orya", "Sinh", "Thai", "Laoo", "Khmr", "Mymr", "Tibt"}
)


class Property(NamedTuple):
    """A property, such as bold."""

    name: str
    raw: str


@dataclass(frozen=True, slots=True)
class Language:
    """The language of new text."""

    code: str
    """FLORES-200 code."""
    source_code: str

    @property
    def attribute(self) -> str:
        """Return the attribute of `w:lang` that holds it."""
        script = script_of(self.code)
        if script in _COMPLEX:
            return "bidi"
        return "eastAsia" if script in _EAST_ASIAN else "val"

    @property
    def tag(self) -> str:
        """Return its BCP 47 tag."""
        return language_tag(self.code)

    @property
    def is_right_to_left(self) -> bool:
        """Tell whether it is written from right to left."""
        return is_right_to_left(self.code)

    @property
    def changes_direction(self) -> bool:
        """Tell whether the direction differs from that of the source."""
        return self.is_right_to_left != is_right_to_left(self.source_code)


@dataclass(frozen=True)
class RunFormat:
    """The properties of a run."""

    properties: tuple[Property, ...] = ()

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Return what readers see of it: runs of the same key look alike."""
        return tuple(each.raw for each in self.properties if each.name not in _NOT_SEEN)

    @cached_property
    def shows_on_spaces(self) -> bool:
        """Tell whether spaces look different with it."""
        names = {each.name for each in self.properties}
        return bool(names & {"w:u", "w:strike", "w:dstrike", "w:highlight", "w:shd", "w:bdr"})

    def write(self, prefix: str, language: Language | None) -> str:
        """Write the properties; those of new text name its language."""
        properties = list(self.properties)
        if language:
            properties = [each for each in properties if each.name != "w:lang"]
            raw = f'<{prefix}lang {prefix}{language.attribute}="{language.tag}"/>'
            _insert(properties, Property("w:lang", raw), _AFTER_LANGUAGE)
            if language.changes_direction:
                properties = [each for each in properties if each.name != "w:rtl"]
                if language.is_right_to_left:
                    direction = Property("w:rtl", f"<{prefix}rtl/>")
                    _insert(properties, direction, _AFTER_DIRECTION)
        inner = "".join(each.raw for each in properties)
        return f"<{prefix}rPr>{inner}</{prefix}rPr>" if inner else ""


PLAIN = RunFormat()
"""No properties of its own."""


def _insert(properties: list[Property], new: Property, later: frozenset[str]) -> None:
    """Insert a property before those that come later."""
    at = next(
        (
            number
            for number, each in enumerate(properties)
            if each.name in later or not each.name.startswith("w:")
        ),
        len(properties),
    )
    properties.insert(at, new)
