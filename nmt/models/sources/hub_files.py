"""A hub model's files in this machine's cache.

Imports no torch.
"""

import glob
import re
from functools import cache
from pathlib import Path

from nmt.errors import ModelError, UnavailableError
from nmt.models.sources.files import CONFIG, model_files, select_files
from nmt.network.hub import first_line, hub_error

_COMMIT = re.compile("[0-9a-f]{40}")


def snapshot_of(name: str, revision: str | None) -> Path:
    """Fetch what makes a model, unless the cache holds it; the folder is named by the commit.

    A commit never changes, so for one that the cache holds whole the hub is not asked.

    Raises:
        ModelError: the hub has no such model, or it has no weights.
        UnavailableError: the hub does not answer, and the cache does not hold the model.
    """
    if revision and _COMMIT.fullmatch(revision) and (cached := _cached(name, revision)):
        return cached
    fault = find_hub_error(name, revision)
    if fault is None:
        return _downloaded(name, revision)
    cached = _cached(name, revision)
    if cached is None:
        raise hub_unreachable(name, fault)
    return cached


@cache
def find_hub_error(name: str, revision: str | None) -> str | None:
    """What keeps the hub from answering; asked once per process."""
    from huggingface_hub import HfApi

    return hub_error(lambda seconds: HfApi().model_info(name, revision=revision, timeout=seconds))


def hub_unreachable(name: str, fault: str) -> UnavailableError:
    """Say what to do without the hub."""
    return UnavailableError(
        f"model.name_or_path={name}: not in the cache, and the hub cannot be reached "
        f"({fault}). Check the network; without one, give a local folder, or fill the cache "
        "where there is one (`hf download NAME`) and set HF_HUB_OFFLINE=1"
    )


def _downloaded(name: str, revision: str | None) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    try:
        siblings = HfApi().model_info(name, revision=revision).siblings or []
        wanted = select_files([sibling.rfilename for sibling in siblings])
        patterns = [glob.escape(file) for file in wanted]
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except (OSError, ValueError) as error:
        raise ModelError(f"model.name_or_path={name}: {first_line(error)}") from None


def _cached(name: str, revision: str | None) -> Path | None:
    """Folder of a snapshot that holds all of the model; None where there is none."""
    from huggingface_hub import hf_hub_download

    try:
        config = hf_hub_download(name, CONFIG, revision=revision, local_files_only=True)
        folder = Path(config).parent
        model_files(folder, name)
    except (OSError, ValueError):
        return None
    return folder
