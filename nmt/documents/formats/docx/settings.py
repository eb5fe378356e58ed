"""The settings of a DOCX file: the language for which its theme chooses fonts."""

from nmt.documents.formats.docx.names import NAMESPACES
from nmt.documents.formats.docx.run_format import Language
from nmt.documents.formats.xml.edit import Change, set_attributes, splice, tag_prefix
from nmt.documents.formats.xml.events import XmlSource, read_events


def set_theme_language(source: XmlSource, language: Language) -> bytes:
    """Return the settings with the language of new text, for which Word then has a font.

    A theme names a font for each script; Word takes that of this language for text of scripts such
    as Tamil and Arabic. Settings that do not name a language stay.
    """
    changes: list[Change] = []
    for event in read_events(source.data, NAMESPACES):
        if event.kind == "start" and event.name == "w:themeFontLang":
            tag = source.raw(event.start, event.end)
            name = f"{tag_prefix(tag)}{language.attribute}"
            new = set_attributes(tag, {name: language.tag})
            changes.append(Change(event.start, event.end, new))
    return splice(source.data, changes)
