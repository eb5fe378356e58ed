"""The wheel that `pip install .` makes: every file that the packages need is in it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nmt.config import load_config
from ray_jobs.cli.main import quickstart_file
from tests.support.project import PROJECT

PACKAGES = ("nmt", "ray_jobs", "k8s")
QUICKSTART = """
import sys, ray_jobs.cli.main
from nmt.config import load_config
file = ray_jobs.cli.main.quickstart_file()
assert file.is_relative_to(sys.argv[1]), file
print(load_config([file]).digest())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with the content of the wheel, as an installation unpacks it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(target)], cwd=source, check=True, capture_output=True
    )
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_every_file_of_the_packages_is_in_the_wheel(installed):
    def files(folder: Path) -> set[str]:
        return {
            path.relative_to(folder).as_posix()
            for name in PACKAGES
            for path in (folder / name).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    assert files(PROJECT) == files(installed)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_that_it_is_typed(installed, package):
    assert (installed / package / "py.typed").is_file()


def test_the_quickstart_of_the_wheel_finds_its_settings(installed, tmp_path):
    printed = subprocess.run(
        [sys.executable, "-c", QUICKSTART, str(installed)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert printed.stdout.strip() == load_config([quickstart_file()]).digest()


def test_the_settings_of_the_quickstart_lie_in_one_place():
    assert (PROJECT / "configs" / "quickstart.yaml").resolve() == quickstart_file().resolve()


def test_nothing_tells_to_install_a_name_that_a_public_index_may_give_to_others():
    sources = [path for name in PACKAGES for path in (PROJECT / name).rglob("*.py")]
    pages = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
    for path in [*sources, *pages]:
        assert "install 'nmt" not in path.read_text("utf-8"), path
