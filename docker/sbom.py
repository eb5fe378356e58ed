"""Write the software bill of materials of an image: its system, Python and packages of both.

Runs while an image is built, in a virtual environment of its own with `cyclonedx-bom` in it, so
that none of that becomes a part of the image:

    python sbom.py /opt/venv/bin/python nmt-ray sbom.cdx.json

`cyclonedx-py` describes the Python packages; this adds what the system's package manager has
installed, as the same format, and checks the result against the schema of CycloneDX.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

_OS_RELEASE = Path("/etc/os-release")
_FIELDS = (
    "${db:Status-Status}",
    "${Package}",
    "${Version}",
    "${Architecture}",
    "${source:Package}",
    "${source:Version}",
)


def main(words: list[str] | None = None) -> int:
    """Write the file, and return the exit code."""
    parser = argparse.ArgumentParser(description="Write the bill of materials of an image.")
    parser.add_argument("python", help="interpreter whose packages are listed")
    parser.add_argument("image", help="name of the image, such as nmt-ray")
    parser.add_argument("output", type=Path)
    parser.add_argument("--project", type=Path, default=Path("pyproject.toml"))
    options = parser.parse_args(words)
    bom = python_packages(options.python)
    bom.metadata.component = Component(
        name=options.image,
        version=version_of(options.project),
        type=ComponentType.CONTAINER,
        bom_ref=options.image,
    )
    bom.components.update([interpreter(options.python), *system_packages()])
    bom.register_dependency(bom.metadata.component, bom.components)
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    check(text)
    options.output.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{options.output}: {len(bom.components)} components\n")
    return 0


def python_packages(python: str) -> Bom:
    """Describe the packages of a Python environment."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    words = [program, "environment", "--of=JSON", "--sv=1.6", "--output-reproducible", python]
    done = subprocess.run(words, capture_output=True, check=True)  # noqa: S603 - fixed words
    return Bom.from_json(json.loads(done.stdout))  # pyright: ignore


def interpreter(python: str) -> Component:
    """Describe Python itself, which the images of Python build from source."""
    words = [python, "-c", "import platform; print(platform.python_version())"]
    done = subprocess.run(words, capture_output=True, check=True, text=True)  # noqa: S603 - as above
    version = done.stdout.strip()
    return Component(
        name="python",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=f"python@{version}",
        purl=PackageURL("generic", name="python", version=version),
        cpe=f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
    )


def system_packages(os_release: Path = _OS_RELEASE) -> Iterator[Component]:
    """Describe the system and each package that dpkg has installed."""
    system = read_os_release(os_release.read_text(encoding="utf-8"))
    name, version = system["ID"], system.get("VERSION_ID", "")
    yield Component(
        name=name, version=version, type=ComponentType.OPERATING_SYSTEM, bom_ref=f"{name}@{version}"
    )
    form = "\\t".join(_FIELDS) + "\\n"
    words = ["dpkg-query", "--show", f"--showformat={form}"]
    done = subprocess.run(words, capture_output=True, check=True, text=True)  # noqa: S603
    for line in done.stdout.splitlines():
        status, _, fields = line.partition("\t")
        # Of a package that was removed, its settings may be left.
        if status == "installed":
            yield system_package(fields, name, version)


def system_package(fields: str, system: str, system_version: str) -> Component:
    """Describe one package from the fields of dpkg-query after its status."""
    package, version, architecture, source, source_version = fields.split("\t")
    upstream = source if source_version == version else f"{source}@{source_version}"
    purl = PackageURL(
        "deb",
        namespace=system,
        name=package,
        version=version,
        qualifiers={
            "arch": architecture,
            "distro": f"{system}-{system_version}",
            # Advisories are about source packages.
            "upstream": upstream,
        },
    )
    return Component(
        name=package,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        properties=[Property(name="nmt:package-manager", value="dpkg")],
    )


def read_os_release(text: str) -> dict[str, str]:
    """Read the lines `NAME=value` of an os-release file."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name: value.strip("\"'") for name, _, value in pairs}


def version_of(project: Path) -> str:
    """Read the version of the project from its pyproject.toml."""
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])


def check(text: str) -> None:
    """Compare a bill of materials with the schema.

    Raises:
        ValueError: it does not fit.
    """
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"the bill of materials does not fit its schema: {error}")


if __name__ == "__main__":
    sys.exit(main())
