"""Names of translated files, safe in a header and on any disk."""

import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

from nmt.languages import language_tag

_MAX_STEM = 100
# Characters that a disk or a header does not allow in a name.
_FORBIDDEN = frozenset('<>:"/\\|?*%')
_JOINERS = "\u200c\u200d"  # part of the spelling of words in Indic and Arabic scripts
# Windows takes these for devices, with any suffix.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)


def result_name(name: str, target_language: str) -> str:
    """Return the name of a translation: `report.docx` becomes `report.ta.docx`.

    Args:
        name: of the uploaded file; may hold anything.
        target_language: FLORES-200 code.
    """
    safe = safe_name(name)
    path = PurePosixPath(safe)
    return f"{path.stem}.{language_tag(target_language)}{path.suffix}"


def safe_name(name: str) -> str:
    """Return the name of a file without folders and without what may harm a disk or a header."""
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(
        "_" if character in _FORBIDDEN else character
        for character in base
        # Format characters could turn the order of the letters shown: "exe.docx" for "xcod.exe".
        if character in _JOINERS
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    ).strip(" .")
    path = PurePosixPath(kept or "document")
    stem, suffix = path.stem[:_MAX_STEM].strip(" ."), path.suffix[:20]
    if not stem or stem.split(".")[0].casefold() in _DEVICES:
        stem = f"document{'_' if stem else ''}{stem}"
    return f"{stem}{suffix}"


def content_disposition(name: str) -> str:
    """Return the header value that lets a client save an answer under a name."""
    plain = safe_name(name)
    ascii_name = plain.encode("ascii", "replace").decode().replace("?", "_")
    header = f'attachment; filename="{ascii_name}"'
    return header if ascii_name == plain else f"{header}; filename*=UTF-8''{quote(plain, safe='')}"
