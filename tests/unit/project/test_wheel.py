"""The wheel that `pip install .` builds holds every file that the packages need."""

import os
import re
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
PATH = os.environ.get("PATH", "")
NO_INDEX = re.compile("error sending request|Failed to fetch|operation timed out|dns error")
QUICKSTART = """
import sys, ray_jobs.cli.main
from nmt.config import load_config
file = ray_jobs.cli.main.quickstart_file()
assert file.is_relative_to(sys.argv[1]), file
print(load_config([file]).digest())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of the packages, built from a copy, so that nothing is left in the checkout."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
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
    return wheel


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with the content of the wheel, as an installation unpacks it."""
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Path:
    """The `bin` folder of a new environment that holds the wheel and its base dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), PATH]))
    if not uv:
        pytest.skip("uv, which `make venv` installs, is not here")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", folder / "bin/python"]
    # The constraints keep a new release of a dependency from failing this test one morning.
    done = subprocess.run(
        [*install, "--constraint", PROJECT / "constraints.txt", wheel],
        capture_output=True,
        text=True,
    )
    if done.returncode and NO_INDEX.search(done.stderr):
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


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


def test_the_quickstart_finds_its_settings_in_the_wheel(installed, tmp_path):
    printed = subprocess.run(
        [sys.executable, "-c", QUICKSTART, str(installed)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert printed.stdout.strip() == load_config([quickstart_file()]).digest()


@pytest.mark.parametrize(
    "words",
    [
        ["nmt", "--help"],
        ["nmt", "quickstart", "--help"],
        ["nmt", "config", "show"],
    ],
    ids=" ".join,
)
def test_the_wheel_alone_can_show_help_and_settings(environment, tmp_path, words):
    # Without the variables of this process, its packages cannot be found by accident.
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [environment / words[0], *words[1:]],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_environment_of_the_wheel_holds_no_other_package(environment):
    listed = subprocess.run(
        [environment / "python", "-c", "import importlib.util as i; print(i.find_spec('torch'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert listed.stdout.strip() == "None"


def test_the_settings_of_the_quickstart_are_kept_in_one_file():
    assert (PROJECT / "configs" / "quickstart.yaml").resolve() == quickstart_file().resolve()


def test_no_hint_installs_a_name_that_others_may_own_on_a_public_index():
    sources = [path for name in PACKAGES for path in (PROJECT / name).rglob("*.py")]
    pages = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
    for path in [*sources, *pages]:
        assert "install 'nmt" not in path.read_text("utf-8"), path
