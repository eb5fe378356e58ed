"""The structure of a part, which a translation must not change."""

from collections import Counter

from nmt.documents.formats.docx.names import NAMESPACES
from nmt.documents.formats.xml.events import Event, XmlSource, read_events

# What may change: runs are joined and divided, and new ones get a language and a direction.
_FREE = frozenset({"w:r", "w:t", "w:proofErr", "w:lastRenderedPageBreak", "w:pPr", "w:bidi"})
_DESCRIPTIONS = frozenset({"descr", "title"})

Structure = list[str | Counter[str]]


def structure_of(source: XmlSource) -> Structure:
    """Return the elements of a part in order; those of a paragraph may come in any order.

    Raises:
        DocumentError: it is not valid XML.
    """
    structure: Structure = []
    depth = paragraph_depth = properties_depth = 0
    for event in read_events(source.data, NAMESPACES):
        if event.kind == "end":
            if depth == paragraph_depth:
                paragraph_depth = 0
            if depth == properties_depth:
                properties_depth = 0
            depth -= 1
        elif event.kind == "start":
            depth += 1
            if event.name == "w:rPr" and not properties_depth:
                properties_depth = depth
            if properties_depth or event.name in _FREE:
                continue
            if event.name == "w:p" and not paragraph_depth:
                paragraph_depth = depth
                structure.append(Counter())
            inner = structure[-1] if paragraph_depth else None
            if isinstance(inner, Counter):
                inner[_signature(event)] += 1
            else:
                structure.append(_signature(event))
    return structure


def _signature(event: Event) -> str:
    """Write the name and the attributes of an element."""
    attributes = (
        f"{name}={value!r}"
        for name, value in sorted(event.attributes.items())
        if name not in _DESCRIPTIONS
    )
    return " ".join([event.name, *attributes])
