"""The bill of materials of an image: what it lists, and that it fits the schema of CycloneDX."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.project import PROJECT, load_script

LIBC = "libc6\t2.36-9+deb12u14\tamd64\tglibc\t2.36-9+deb12u14"
SOURCE = "libgcc-s1\t12.2.0-14\tamd64\tgcc-12\t12.2.0-15"


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    return load_script(PROJECT / "docker" / "sbom.py")


@pytest.fixture
def small_python(tmp_path: Path) -> Path:
    """An environment with one package."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (packages,) = (tmp_path / "venv").glob("lib/python3*/site-packages")
    metadata = packages / "tamil_words-1.2.dist-info"
    metadata.mkdir()
    text = "Metadata-Version: 2.1\nName: tamil-words\nVersion: 1.2\nLicense-Expression: MIT\n"
    (metadata / "METADATA").write_text(text)
    return tmp_path / "venv" / "bin" / "python"


def components(path: Path) -> Iterator[tuple[str, str]]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return ((each["name"], each["type"]) for each in content["components"])


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="the system has no dpkg")
def test_it_lists_python_its_packages_the_system_and_the_packages_of_that(
    sbom: ModuleType, small_python: Path, tmp_path: Path
) -> None:
    words = [str(small_python), "nmt-tools", str(tmp_path / "out.json")]
    assert sbom.main([*words, f"--project={PROJECT / 'pyproject.toml'}"]) == 0
    found = set(components(tmp_path / "out.json"))
    assert {("tamil-words", "library"), ("python", "application"), ("libc6", "library")} <= found
    assert [name for name, kind in found if kind == "operating-system"]
    root = json.loads((tmp_path / "out.json").read_text())["metadata"]["component"]
    assert (root["name"], root["type"]) == ("nmt-tools", "container")


def test_a_package_of_the_system_names_what_advisories_are_about(sbom: ModuleType) -> None:
    libc, gcc = (sbom.system_package(line, "debian", "12") for line in (LIBC, SOURCE))
    assert (libc.name, libc.version) == ("libc6", "2.36-9+deb12u14")
    assert libc.purl.to_dict()["qualifiers"] == {
        "arch": "amd64",
        "distro": "debian-12",
        "upstream": "glibc",
    }
    assert gcc.purl.to_dict()["qualifiers"]["upstream"] == "gcc-12@12.2.0-15"


def test_the_system_is_read_with_and_without_quotes(sbom: ModuleType) -> None:
    found = sbom.read_os_release("ID=debian\nVERSION_ID=\"12\"\n\nNAME='x'\n")
    assert found == {"ID": "debian", "VERSION_ID": "12", "NAME": "x"}


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": 1}']
)
def test_what_does_not_fit_the_schema_ends_the_build(sbom: ModuleType, text: str) -> None:
    with pytest.raises(ValueError, match="does not fit its schema"):
        sbom.check(text)


def test_the_images_and_the_tests_use_the_same_release_of_the_tool() -> None:
    pinned = (PROJECT / "constraints.txt").read_text("utf-8").splitlines()
    dockerfile = (PROJECT / "docker" / "Dockerfile").read_text("utf-8")
    named = re.findall(r"(cyclonedx[\w-]+)(?:\[.*?\])?==([\d.]+)", dockerfile)
    assert len(named) == 4
    assert [f"{name}=={version}" for name, version in named if f"{name}=={version}" in pinned] == [
        f"{name}=={version}" for name, version in named
    ]
