"""The place and the surroundings of a private Ray on this machine."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nmt.errors import UnavailableError

LONGEST_FOLDER = 40
"""Bytes: a socket's whole path has at most 103, and Ray's own part of it takes up to 63."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has it
OBJECT_STORE_BYTES = 256 * 2**20
"""What processes hand each other are settings, scores and sentences."""

_ENOUGH_BYTES = 64 * 2**20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NO_PROXY = ("no_proxy", "NO_PROXY", "no_grpc_proxy")


def folder_of_ray(environ: Mapping[str, str] = os.environ) -> str:
    """Choose a folder for Ray's sockets and logs: Ray's own default if it can be used.

    Raises:
        UnavailableError: RAY_TMPDIR, or no folder at all, can be used.
    """
    if chosen := environ.get("RAY_TMPDIR"):
        folder = Path(chosen).absolute() / "ray"
        if fault := _fault_of_folder(folder):
            raise UnavailableError(
                f"RAY_TMPDIR={chosen}: Ray cannot keep its files in {folder}: {fault}; "
                "set it to another short folder, or unset it"
            )
        return str(folder)
    system = Path("/tmp")  # noqa: S108 - Ray's own default
    candidates = [Path(environ.get("TMPDIR", system)).absolute() / "ray", system / "ray"]
    candidates.append(system / f"ray-{os.getuid()}")  # another user may own the one before it
    faults = {}
    for folder in candidates:
        fault = _fault_of_folder(folder)
        if fault is None:
            return str(folder)
        faults[str(folder)] = fault
    told = "; ".join(f"{folder}: {fault}" for folder, fault in faults.items())
    raise UnavailableError(
        f"Ray has no place for its files ({told}): set RAY_TMPDIR to a short folder that can be "
        "written and has 64 MiB free"
    )


def _fault_of_folder(folder: Path) -> str | None:
    """Say why Ray cannot use a folder, by trying to write there."""
    if len(os.fsencode(folder)) > LONGEST_FOLDER:
        return f"its path is too long for sockets (at most {LONGEST_FOLDER} bytes)"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() not in (0, folder.stat().st_uid):
            return "it belongs to another user"
        if shutil.disk_usage(folder).free < _ENOUGH_BYTES:
            return "less than 64 MiB are free"
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return str(error.strerror or error)


def folder_of_objects(folder: str) -> str:
    """Choose where Ray maps its object store: shared memory, else the given folder."""
    try:
        if shutil.disk_usage(SHARED_MEMORY).free < OBJECT_STORE_BYTES:
            return folder
        with tempfile.TemporaryFile(dir=SHARED_MEMORY):
            return str(SHARED_MEMORY)
    except OSError:
        return folder


@contextmanager
def own_environment(node_address: str, more: Mapping[str, str] = {}) -> Iterator[None]:
    """Set the environment that only the processes of a private Ray inherit.

    They connect to each other without a proxy, while downloads still use one, and they ask each
    other for a token that no other process knows.

    Args:
        node_address: by which this machine's processes know each other.
        more: other variables for these processes.
    """
    hosts = (*_LOOPBACK, node_address)
    changes = dict(more) | {
        name: _with_hosts(os.environ.get(name, ""), hosts) for name in _NO_PROXY
    }
    # Without one Ray would write a token into the home folder. `ray start` would find it there and
    # then refuse clients that do not send it.
    changes["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    before = {name: os.environ.get(name) for name in (*changes, "RAY_AUTH_MODE")}
    os.environ.update(changes)
    os.environ.pop("RAY_AUTH_MODE", None)  # Ray then takes its default: a token is asked for
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _with_hosts(listed: str, hosts: tuple[str, ...]) -> str:
    there = [host for host in listed.split(",") if host]
    return ",".join([*there, *(host for host in hosts if host not in there)])
