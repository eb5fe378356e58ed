"""The bill of materials of an image: what it lists, and that it fits the schema of CycloneDX.

The script runs in the environment of its tool, as it does while an image is built.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import PROJECT

SCRIPT = PROJECT / "docker" / "sbom.py"
TOOL = PROJECT / ".venv" / "tools" / "cyclonedx-bom" / "bin" / "python"
LIBC = "libc6\t2.36-9+deb12u14\tamd64\tglibc\t2.36-9+deb12u14"
SOURCE = "libgcc-s1\t12.2.0-14\tamd64\tgcc-12\t12.2.0-15"

with_tool = pytest.mark.skipif(
    not TOOL.exists(), reason="`make chart-tools` installs cyclonedx-bom"
)


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


def evaluate(expression: str) -> Any:
    """Evaluate an expression about the script in the environment of its tool."""
    code = f"import json, sbom; print(json.dumps({expression}))"
    words = [TOOL, "-c", code]
    done = subprocess.run(words, cwd=SCRIPT.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    return json.loads(done.stdout)


@with_tool
@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="the system has no dpkg")
def test_it_lists_python_its_packages_the_system_and_the_packages_of_that(
    small_python: Path, tmp_path: Path
) -> None:
    words = [TOOL, SCRIPT, small_python, "nmt-tools", tmp_path / "out.json"]
    subprocess.run([*words, f"--project={PROJECT / 'pyproject.toml'}"], check=True)
    found = set(components(tmp_path / "out.json"))
    assert {("tamil-words", "library"), ("python", "application"), ("libc6", "library")} <= found
    assert [name for name, kind in found if kind == "operating-system"]
    root = json.loads((tmp_path / "out.json").read_text())["metadata"]["component"]
    assert (root["name"], root["type"]) == ("nmt-tools", "container")


@with_tool
def test_a_package_of_the_system_names_what_advisories_are_about() -> None:
    described = "[(p.name, p.version, p.purl.to_dict()['qualifiers']) for p in {}]"
    packages = f"[sbom.system_package(line, 'debian', '12') for line in {[LIBC, SOURCE]!r}]"
    libc, gcc = evaluate(described.format(packages))
    assert libc[:2] == ["libc6", "2.36-9+deb12u14"]
    assert libc[2] == {"arch": "amd64", "distro": "debian-12", "upstream": "glibc"}
    assert gcc[2]["upstream"] == "gcc-12@12.2.0-15"


@with_tool
def test_the_system_is_read_with_and_without_quotes() -> None:
    text = "ID=debian\nVERSION_ID=\"12\"\n\nNAME='x'\n"
    found = evaluate(f"sbom.read_os_release({text!r})")
    assert found == {"ID": "debian", "VERSION_ID": "12", "NAME": "x"}


@with_tool
@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": 1}']
)
def test_what_does_not_fit_the_schema_ends_the_build(text: str) -> None:
    with pytest.raises(ValueError, match="does not fit its schema"):
        evaluate(f"sbom.check({text!r})")


def test_the_images_and_the_tests_use_the_same_release_of_the_tool() -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    dockerfile = (PROJECT / "docker" / "Dockerfile").read_text("utf-8")
    named = re.findall(r"cyclonedx[\w-]+(?:\[.*?\])?==[\d.]+", dockerfile)
    assert len(named) == 2
    assert [each for each in named if each not in makefile] == []


def test_importing_ray_takes_no_parser_of_addresses() -> None:
    """It would take 2 s of every process of Ray, and on a busy machine Ray would not start."""
    # jsonschema, which Ray imports, loads it if it is installed.
    code = "import jsonschema, sys; sys.exit('rfc3987_syntax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
