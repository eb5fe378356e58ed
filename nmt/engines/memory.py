"""The memory of a loaded engine, and how freed memory goes back to the system."""

import ctypes
from functools import cache
from pathlib import Path

from nmt.runs.engine_digest import ADAPTER_FOLDER, MODEL_FOLDER, TOKENIZER_FOLDER

# Loaded weights take as much as their files. A tokenizer of 256,000 tokens takes 171 MB of memory
# for 16.8 MB of JSON; the rest is what a batch of usual size needs.
_MEMORY_PER_TOKENIZER_BYTE = 10
_WORKING_BYTES = 16 * 2**20
_WEIGHTS = (".bin", ".safetensors")
_TOKENIZER_FILE = "tokenizer.json"


def estimate_memory(folder: Path) -> int:
    """Estimate how many bytes an engine's folder takes once it is loaded on the CPU."""
    parts = (folder / MODEL_FOLDER, folder / ADAPTER_FOLDER)
    files = [path for part in parts if part.is_dir() for path in part.iterdir()]
    weights = sum(path.stat().st_size for path in files if path.suffix in _WEIGHTS)
    tokenizer = folder / TOKENIZER_FOLDER / _TOKENIZER_FILE
    tokens = tokenizer.stat().st_size if tokenizer.is_file() else 0
    return weights + _MEMORY_PER_TOKENIZER_BYTE * tokens + _WORKING_BYTES


def return_free_memory() -> None:
    """Return freed memory to the system, where the C library can do so."""
    # glibc keeps what the loaded files' buffers took: 100 MB and more after a large engine.
    if trim := _find_malloc_trim():
        trim(0)


@cache
def _find_malloc_trim() -> "ctypes._NamedFuncPointer | None":
    # Only glibc has it: not macOS, and not musl.
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
