"""DOCX files, made of what their parts hold."""

import io
import zipfile
from collections.abc import Callable

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_NAMESPACES = " ".join(
    f'xmlns:{prefix}="http://schemas.openxmlformats.org/{address}"'
    for prefix, address in (
        ("w", "wordprocessingml/2006/main"),
        ("r", "officeDocument/2006/relationships"),
        ("wp", "drawingml/2006/wordprocessingDrawing"),
        ("m", "officeDocument/2006/math"),
        ("mc", "markup-compatibility/2006"),
    )
)
_ROOTS = {"header": "hdr", "footer": "ftr"}


def make_docx(
    body: str, *, edit: Callable[[str], str | bytes] = lambda xml: xml, **parts: str
) -> bytes:
    """Make a DOCX file.

    Args:
        body: what is inside its body.
        edit: makes the main document of what it would be.
        parts: what is inside other parts, such as `header`.
    """
    types = {"document": "document.main", **{name: name for name in parts}}
    overrides = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{_TYPES}.{kind}+xml"/>'
        for name, kind in types.items()
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'{_DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
            f'content-types">{overrides}</Types>',
        )
        inner = f"<w:document {_NAMESPACES}><w:body>{body}</w:body></w:document>"
        archive.writestr("word/document.xml", edit(_DECLARATION + inner))
        for name, content in parts.items():
            root = f"w:{_ROOTS.get(name, name)}"
            inner = f"<{root} {_NAMESPACES}>{content}</{root}>"
            archive.writestr(f"word/{name}.xml", _DECLARATION + inner)
        archive.writestr("word/media/image1.png", bytes(range(256)))
    return file.getvalue()


def part_of(data: bytes, name: str) -> str:
    """Return a part of a DOCX file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()
