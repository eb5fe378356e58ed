"""The versions of this package and of the libraries that decide what it makes."""

import os
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nmt import __version__
from nmt.runs.results import Software

REVISION_VARIABLE = "NMT_REVISION"
"""Holds the git commit of an image, which has no repository."""
PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "ray",
    "ctranslate2",
    "sacrebleu",
    "datasets",
    "optuna",
)


def installed_software() -> Software:
    """Describe what this process runs with."""
    return Software(
        version=__version__,
        revision=_revision(),
        python=platform.python_version(),
        packages=package_versions(),
    )


def package_versions() -> dict[str, str]:
    """Map each of `PACKAGES` that is installed to its version."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):  # extras are optional
            found[package] = version(package)
    return found


def _revision() -> str | None:
    """Return the git commit of this code, with the ending `-dirty` if files were changed since."""
    if given := os.environ.get(REVISION_VARIABLE):
        return given
    checkout = Path(__file__).parents[2]
    # Below another repository, such as a home folder in git, its commit would say nothing.
    if not (checkout / ".git").exists():
        return None
    words = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            [*words, "--exclude=*"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
