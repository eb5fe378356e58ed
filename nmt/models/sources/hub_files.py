"""The files of a hub's model in this machine's cache.

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
    """Fetch the files of a model and return their folder, which is named by the commit.

    Raises:
        ModelError: the hub has no such model, or the model has no weights.
        UnavailableError: the hub does not answer, and the model is not in the cache.
    """
    # A commit never changes, so the hub is not asked about one that is complete in the cache.
    if revision and _COMMIT.fullmatch(revision) and (cached := _find_cached(name, revision)):
        return cached
    error = find_hub_error(name, revision)
    if error is None:
        return _download(name, revision)
    cached = _find_cached(name, revision)
    if cached is None:
        raise hub_unreachable(name, error)
    return cached


@cache
def find_hub_error(name: str, revision: str | None) -> str | None:
    """Describe why the hub does not answer about a model; asked once per process."""
    from huggingface_hub import HfApi

    return hub_error(lambda seconds: HfApi().model_info(name, revision=revision, timeout=seconds))


def hub_unreachable(name: str, error: str) -> UnavailableError:
    """Explain how to work without the hub."""
    return UnavailableError(
        f"model.name_or_path={name}: not in the cache, and the hub cannot be reached "
        f"({error}). Check the network. Without one, use a local folder, or fill the cache on a "
        "machine with one (`hf download NAME`) and set HF_HUB_OFFLINE=1"
    )


def _download(name: str, revision: str | None) -> Path:
    """Download the files of a model that the cache lacks."""
    from huggingface_hub import HfApi, snapshot_download

    try:
        siblings = HfApi().model_info(name, revision=revision).siblings or []
        wanted = select_files([sibling.rfilename for sibling in siblings])
        patterns = [glob.escape(file) for file in wanted]
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except (OSError, ValueError) as error:
        raise ModelError(f"model.name_or_path={name}: {first_line(error)}") from None


def _find_cached(name: str, revision: str | None) -> Path | None:
    """Find the cached folder of a complete model; None if there is none."""
    from huggingface_hub import hf_hub_download

    try:
        config = hf_hub_download(name, CONFIG, revision=revision, local_files_only=True)
        folder = Path(config).parent
        model_files(folder, name)
    except (OSError, ValueError):
        return None
    return folder
