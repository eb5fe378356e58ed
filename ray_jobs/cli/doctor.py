"""The command `nmt doctor`, which works without the extras."""

import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from nmt.cli.diagnostics import Finding
from nmt.config import Config
from nmt.errors import NmtError, UnavailableError, install_command
from nmt.network.tcp import connection_error
from nmt.runs import layout
from ray_jobs.runtime.address import ray_address, ray_connection_error
from ray_jobs.runtime.private_ray import folder_of_ray

_PACKAGES = {
    "train": ("ray", "torch", "transformers", "peft", "datasets", "sacrebleu", "optuna"),
    "serve": ("ctranslate2", "starlette", "sentencex"),
    "k8s": ("kubernetes",),
    "gpu": ("deepspeed", "bitsandbytes"),
}
_HUB = ("huggingface.co", 443)
_GIB = 2**30


def report(config: Config) -> None:
    """Write one line per finding.

    Raises:
        NmtError: something that every command needs is missing.
    """
    findings = [finding for look in _LOOKS for finding in look(config)]
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    bad = [finding.name for finding in findings if finding.state == "bad"]
    if bad:
        raise NmtError(f"not ready: {', '.join(bad)}")


def _python(config: Config) -> Iterator[Finding]:
    good = (3, 11) <= sys.version_info[:2] < (3, 14)
    yield Finding(
        "python",
        "ok" if good else "bad",
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "" if good else "use Python 3.11, 3.12 or 3.13",
    )


def _packages(config: Config) -> Iterator[Finding]:
    for extra, names in _PACKAGES.items():
        missing = [name for name in names if importlib.util.find_spec(name) is None]
        there = ", ".join(f"{name} {version(name)}" for name in names if name not in missing)
        if not missing:
            yield Finding(f"[{extra}]", "ok", there)
            continue
        # The quickstart needs these two; the others are for clusters and GPUs.
        needed = extra in ("train", "serve")
        text = f"missing: {', '.join(missing)}"
        yield Finding(f"[{extra}]", "bad" if needed else "note", text, install_command(extra))


def _machine(config: Config) -> Iterator[Finding]:
    cores = os.cpu_count() or 1
    yield Finding("cpu", "ok", f"{cores} cores")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    enough = memory >= 6
    yield Finding(
        "memory",
        "ok" if enough else "note",
        f"{memory:.0f} GiB",
        "" if enough else "the quickstart needs 6 GiB, a 600M model with LoRA 16 GiB",
    )
    yield from _gpu(config)


def _gpu(config: Config) -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        return
    import torch  # slow to load, and only this check needs it

    wanted = config.scaling.gpus_per_worker > 0
    if not torch.cuda.is_available():
        remedy = "set scaling.gpus_per_worker=0, or install a driver" if wanted else ""
        yield Finding("gpu", "bad" if wanted else "note", "none: everything runs on CPU", remedy)
        return
    for index in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(index)
        yield Finding("gpu", "ok", f"{about.name}, {about.total_memory / _GIB:.0f} GiB")


def _ray(config: Config) -> Iterator[Finding]:
    address = ray_address()
    if address is None:
        yield _private_ray()
    elif importlib.util.find_spec("ray") is not None:
        problem = ray_connection_error(address)
        if problem:
            yield Finding("ray", "bad", problem.text, problem.remedy)
        else:
            yield Finding("ray", "ok", f"RAY_ADDRESS={address} answers")
    if "RAY_AUTH_MODE" not in os.environ and _has_token():
        yield Finding(
            "ray token", "note",
            "there is a token for Ray, so `ray start` makes a cluster that asks for it",
            "set RAY_AUTH_MODE=token: without it `ray job submit` sends no token",
        )  # fmt: skip


def _private_ray() -> Finding:
    try:
        folder = folder_of_ray()
    except UnavailableError as error:
        text, _, remedy = str(error).rpartition(": ")
        return Finding("ray", "bad", text, remedy)
    about = f"RAY_ADDRESS is not set: each command starts a private Ray, with files in {folder}"
    return Finding("ray", "ok", about)


def _has_token() -> bool:
    """Tell whether Ray finds a token."""
    # In the order in which Ray looks for it.
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    place = os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token"
    return Path(place).expanduser().is_file()


def _hub(config: Config) -> Iterator[Finding]:
    if os.environ.get("HF_HUB_OFFLINE"):
        yield Finding("hub", "note", "HF_HUB_OFFLINE is set: only the cache is used")
        return
    reached = connection_error(*_HUB) is None
    yield Finding(
        "hub",
        "ok" if reached else "note",
        f"{_HUB[0]} {'answers' if reached else 'does not answer'}",
        "" if reached else "set model.name_or_path and data.path to local folders",
    )


def _storage(config: Config) -> Iterator[Finding]:
    if importlib.util.find_spec("pyarrow") is None:
        return
    from nmt.cli.storage_health import check_storage_root
    from ray_jobs.runtime.storage_location import absolute_storage

    yield from check_storage_root(absolute_storage(config), layout.WRITE_PROBE)


_LOOKS: tuple[Callable[[Config], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _machine,
    _ray,
    _hub,
    _storage,
)
