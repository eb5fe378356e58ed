"""Pickled weights, converted once to safetensors.

A pickle can run code when it is loaded. PyTorch's restricted loader builds tensors and plain
containers and refuses everything else; no other loader is used here.

Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#weights-only-security
"""

import json
import logging
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from nmt.errors import ModelError
from nmt.models.sources.files import INDEX, ModelFiles
from nmt.models.sources.fingerprint import Fingerprint
from nmt.storage import cached_folder

log = logging.getLogger(__name__)

_BESIDE = ("config.json", "generation_config.json")
"""Files that transformers reads together with the weights."""


def as_safetensors(files: ModelFiles, label: str, tied: Mapping[str, str]) -> Path:
    """Convert a model's pickled weights to safetensors, once per content.

    Returns:
        The folder in this machine's cache, named by the digest of the pickled files.

    Args:
        files: a model's files, with pickled weights.
        label: the model's name, for messages.
        tied: maps the name of each tied weight to the weight it shares memory with.

    Raises:
        ModelError: the restricted loader refuses a file, or the file contains more than weights.
        StorageError: the cache has no space left.
    """
    beside = [name for name in _BESIDE if (files.folder / name).is_file()]
    content = Fingerprint.of(files.folder, [*files.weights, *beside])

    def fill(folder: Path) -> None:
        _convert(files.weight_files, folder, label, tied)
        for name in beside:
            shutil.copyfile(files.folder / name, folder / name)
        log.info(
            "%s: its pickled weights were read by the restricted loader and written as safetensors "
            "to %s; this happens once",
            label, folder.parent,
        )  # fmt: skip

    return cached_folder(f"safetensors-{content.digest}", fill)


def _convert(pickled: tuple[Path, ...], folder: Path, label: str, tied: Mapping[str, str]) -> None:
    """Write the tensors of each file, and an index of all files."""
    file_of: dict[str, str] = {}
    total = 0
    for number, path in enumerate(pickled, start=1):
        tensors = _deduplicate(_read(path, label), tied)
        name = f"model-{number:05d}-of-{len(pickled):05d}.safetensors"
        save_file(tensors, folder / name, {"format": "pt"})
        file_of |= dict.fromkeys(tensors, name)
        total += sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": file_of}
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def _read(path: Path, label: str) -> dict[str, Tensor]:
    """Load one file with the restricted loader alone.

    Raises:
        ModelError: the loader refuses the file, or it contains more than named weights.
    """
    try:
        # PyTorch's older format, which is not a zip file, cannot be mapped into memory.
        mapped = zipfile.is_zipfile(path)
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # a damaged file can raise anything
        raise ModelError(
            f"model.name_or_path={label}: PyTorch's restricted loader refuses {path.name}, and no "
            f"other loader is used: {_reason(error)}. Use a copy of the model with safetensors, or "
            "fetch the file again if it is damaged"
        ) from None
    if not isinstance(found, dict) or not found:
        raise ModelError(
            f"model.name_or_path={label}: {path.name} contains {type(found).__name__} instead "
            "of named weights"
        )
    for name, value in found.items():
        if not isinstance(name, str) or not _is_plain(value):
            raise ModelError(
                f"model.name_or_path={label}: {path.name} contains {type(value).__name__} under "
                f"{str(name)[:80]!r} instead of plain weights"
            )
    return found


def _is_plain(value: object) -> bool:
    """Tell whether a value is a dense tensor that is not quantized."""
    return isinstance(value, Tensor) and value.layout is torch.strided and not value.is_quantized


def _reason(error: Exception) -> str:
    """Extract the reason from PyTorch's message."""
    # The rest of the message is advice on how to allow what was refused.
    message, _, _ = str(error).strip().partition("\n\nCheck the documentation")
    lines = [line for line in message.splitlines() if line.strip()] or [type(error).__name__]
    _, _, refused = lines[-1].rpartition("WeightsUnpickler error: ")
    return refused.strip().partition(". ")[0][:200].rstrip(". ?")


def _deduplicate(tensors: Mapping[str, Tensor], tied: Mapping[str, str]) -> dict[str, Tensor]:
    """Keep tied tensors under one name, and copy tensors that share memory for another reason."""
    # safetensors refuses tensors that share memory. transformers finds a tied weight under any of
    # its names, so one is enough.
    kept: dict[str, Tensor] = {}
    memories: set[int] = set()
    views: set[tuple[object, ...]] = set()
    for name, tensor in tensors.items():
        memory = tensor.untyped_storage().data_ptr()
        location = memory, tensor.storage_offset(), tensor.shape, tensor.stride()
        view = *location, tied.get(name, name)
        if view in views:
            continue
        shared = memory in memories
        kept[name] = tensor.detach().clone() if shared else tensor.detach()
        kept[name] = kept[name].contiguous()
        memories.add(memory)
        views.add(view)
    return kept
