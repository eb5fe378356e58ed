"""Weights that are there as pickles alone, written once as safetensors.

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
"""What transformers reads together with the weights."""


def as_safetensors(files: ModelFiles, label: str, tied: Mapping[str, str]) -> Path:
    """Find the folder with a pickled model's weights as safetensors; make it the first time.

    It lies in this machine's cache, under a name that follows from what the pickled files hold.

    Args:
        files: of a model whose weights are pickled.
        label: the model's name, for messages.
        tied: names of weights that the model ties, each with the one that it is tied to.

    Raises:
        ModelError: the restricted loader refuses a file, or it holds something else than weights.
        StorageError: the cache has no space for it.
    """
    beside = [name for name in _BESIDE if (files.folder / name).is_file()]
    content = Fingerprint.of(files.folder, [*files.weights, *beside])

    def fill(folder: Path) -> None:
        _convert(files.weight_files, folder, label, tied)
        for name in beside:
            shutil.copyfile(files.folder / name, folder / name)
        log.info(
            "%s: its weights are pickles, read by the restricted loader and written as "
            "safetensors, once, into %s",
            label, folder.parent,
        )  # fmt: skip

    return cached_folder(f"safetensors-{content.digest}", fill)


def _convert(pickled: tuple[Path, ...], folder: Path, label: str, tied: Mapping[str, str]) -> None:
    """Write each file's tensors under their own names, and an index of all."""
    places: dict[str, str] = {}
    total = 0
    for number, path in enumerate(pickled, start=1):
        tensors = _each_once(_read(path, label), tied)
        name = f"model-{number:05d}-of-{len(pickled):05d}.safetensors"
        save_file(tensors, folder / name, {"format": "pt"})
        places |= dict.fromkeys(tensors, name)
        total += sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def _read(path: Path, label: str) -> dict[str, Tensor]:
    """Load one file with the restricted loader alone.

    Raises:
        ModelError: the loader refuses it, or it holds something else than weights by name.
    """
    try:
        # The older of PyTorch's two formats cannot be mapped into memory.
        mapped = zipfile.is_zipfile(path)
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # a damaged file raises whatever its bytes happen to lead to
        raise ModelError(
            f"model.name_or_path={label}: PyTorch's restricted loader refuses {path.name}, and no "
            f"other is used: {_reason(error)}. Take a copy of the model with safetensors, or "
            "fetch the file again if it is damaged"
        ) from None
    if not isinstance(found, dict) or not found:
        raise ModelError(
            f"model.name_or_path={label}: {path.name} holds {type(found).__name__}, and must hold "
            "weights by their names"
        )
    for name, value in found.items():
        if not isinstance(name, str) or not _is_plain(value):
            raise ModelError(
                f"model.name_or_path={label}: {path.name} holds {type(value).__name__} under "
                f"{str(name)[:80]!r}, and must hold plain weights alone"
            )
    return found


def _is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout is torch.strided and not value.is_quantized


def _reason(error: Exception) -> str:
    """Find what was refused in PyTorch's message, without its advice to allow it."""
    told, _, _ = str(error).strip().partition("\n\nCheck the documentation")
    lines = [line for line in told.splitlines() if line.strip()] or [type(error).__name__]
    _, _, refused = lines[-1].rpartition("WeightsUnpickler error: ")
    return refused.strip().partition(". ")[0][:200].rstrip(". ?")


def _each_once(tensors: Mapping[str, Tensor], tied: Mapping[str, str]) -> dict[str, Tensor]:
    """Keep one name of a tensor whose names the model ties, and a copy for each other name.

    transformers finds a tied weight under whichever of its names is there.
    """
    kept: dict[str, Tensor] = {}
    memories: set[int] = set()
    views: set[tuple[object, ...]] = set()
    for name, tensor in tensors.items():
        memory = tensor.untyped_storage().data_ptr()
        place = memory, tensor.storage_offset(), tensor.shape, tensor.stride()
        view = *place, tied.get(name, name)
        if view in views:
            continue
        shared = memory in memories
        kept[name] = tensor.detach().clone() if shared else tensor.detach()
        kept[name] = kept[name].contiguous()
        memories.add(memory)
        views.add(view)
    return kept
