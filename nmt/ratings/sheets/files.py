"""The files of a batch as raters get them, and any file that has come back."""

from collections.abc import Iterator
from pathlib import Path

from nmt.errors import DataError, InputError
from nmt.ratings.batches import Key
from nmt.ratings.design import Design
from nmt.ratings.sheets import appraise, csv_sheet, pearmut, xlsx_sheet
from nmt.ratings.sheets.formats import Format
from nmt.ratings.sheets.line import Line

_MAX_BYTES = 50 * 1024**2
_ZIP = b"PK\x03\x04"
_OLD_WORKBOOKS = (".xls", ".xlsm", ".xlsb", ".ods", ".numbers")


def batch_files(design: Design, key: Key, kind: Format) -> dict[str, bytes]:
    """Make the files of a batch: name -> content. No name tells a system or the test set.

    Raises:
        InputError: the format has no such protocol, or a text does not fit into it.
    """
    start = f"batch-{key.batch}"
    match kind:
        case "pearmut":
            return {f"{start}.pearmut.json": pearmut.write_campaign(design, key)}
        case "appraise":
            return {
                f"{start}.appraise.json": appraise.write_batches(design, key),
                f"{start}.manifest.json": appraise.write_manifest(design, key),
            }
        case "csv":
            sheets = {
                f"{start}-{rater}.csv": csv_sheet.write_csv(design, key.sheet(rater))
                for rater in design.raters
            }
        case "xlsx":
            sheets = {
                f"{start}-{rater}.xlsx": xlsx_sheet.write_xlsx(design, key.sheet(rater))
                for rater in design.raters
            }
    return {**sheets, "instructions.txt": _instructions(design)}


def _instructions(design: Design) -> bytes:
    lines = [
        design.how.instructions,
        "",
        "Write into the empty columns only. Leave ids and texts as they are. Rows may be sorted.",
        "An apostrophe at the beginning of a text is not part of it.",
        "Save the sheet as 'CSV UTF-8' or .xlsx, and send it back whole.",
    ]
    return "\r\n".join([*lines, ""]).encode()


def write_files(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Write files that no earlier sheet is lost by, and return their paths.

    Raises:
        InputError: the folder cannot be written, or has such a file with other content.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            # Somebody may have filled it in already.
            if path.exists() and not _is_same(path, content):
                raise InputError(
                    f"{path} exists with other content: move it away, or give another --output"
                )
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise InputError(f"--output {folder}: cannot be written: {error.strerror}") from None
    return [folder / name for name in files]


def _is_same(path: Path, content: bytes) -> bool:
    """Tell whether a file has a content; workbooks also have the time at which they were made."""
    found = path.read_bytes()
    if path.suffix != ".xlsx" or not found.startswith(_ZIP):
        return found == content
    sheets = [list(xlsx_sheet.read_xlsx(each, path.name)) for each in (found, content)]
    return sheets[0] == sheets[1]


def read_file(path: Path) -> Iterator[Line]:
    """Read what raters have filled in, in any of the formats.

    Raises:
        DataError: the file cannot be read, or is of another format.
    """
    place = path.name
    if path.suffix.lower() in _OLD_WORKBOOKS:
        raise DataError(f"{place}: is not read as {path.suffix}: save it as .xlsx or 'CSV UTF-8'")
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{place}: is larger than {_MAX_BYTES:,} bytes, so it is not a sheet")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    if not content.strip():
        raise DataError(f"{place}: is empty")
    # By the content: raters rename files.
    if content.startswith(_ZIP):
        return xlsx_sheet.read_xlsx(content, place)
    if content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"["):
        return pearmut.read_annotations(content, place)
    if appraise.is_export(content, place):
        return appraise.read_export(content, place)
    return csv_sheet.read_csv(content, place)
