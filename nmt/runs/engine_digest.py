"""The digest that names an engine."""

from collections.abc import Mapping

from nmt.config import digest_of
from nmt.storage import FileEntry

MODEL_FOLDER = "model"
ADAPTER_FOLDER = "adapter"
TOKENIZER_FOLDER = "tokenizer"
_FOLDERS = (MODEL_FOLDER, ADAPTER_FOLDER, TOKENIZER_FOLDER)


def engine_digest(
    files: Mapping[str, FileEntry], source_language: str, target_language: str
) -> str:
    """Compute the digest of an engine: the same content and languages have the same one.

    Args:
        files: all files of the engine's folder.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.
    """
    # Cards and READMEs are left out: they name the run, and equal engines should share a folder.
    content = {
        name: file["sha256"] for name, file in files.items() if name.split("/")[0] in _FOLDERS
    }
    return digest_of([content, source_language, target_language])
