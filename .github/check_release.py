"""Check that a tag may be released: versions agree, and both changelogs have a dated section.

Run it as `python .github/check_release.py v1.2.3`; it needs nothing beyond Python itself. With
`--notes` it prints the changelog's section, which becomes the text of the release.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

PROJECT = Path(__file__).parent.parent

_TAG = re.compile(r"v(\d+\.\d+\.\d+)")
_HEADING = re.compile(r"^## (?P<version>\S+)(?: \((?P<date>[^)]*)\))?$", re.MULTILINE)


class ReleaseError(Exception):
    """A reason why the tag cannot be released."""


def check(tag: str, project: Path) -> str:
    """Return the changelog's section for a tag.

    Raises:
        ReleaseError: a version differs from the tag, or the section is missing or has no date.
    """
    found = _TAG.fullmatch(tag)
    if not found:
        raise ReleaseError(f"{tag} is not a tag like v1.2.3")
    version = found[1]
    for place, written in written_versions(project).items():
        if written != version:
            raise ReleaseError(f"{place} says {written}, and the tag says {version}")
    notes, _ = (
        section_of(version, (project / name).read_text(encoding="utf-8"), name)
        for name in ("CHANGELOG.md", "helm/nmt/CHANGELOG.md")
    )
    return notes


def written_versions(project: Path) -> Mapping[str, str]:
    """Read the version from each file that names it."""
    chart = (project / "helm/nmt/Chart.yaml").read_text(encoding="utf-8")
    citation = (project / "CITATION.cff").read_text(encoding="utf-8")
    package = (project / "nmt/__init__.py").read_text(encoding="utf-8")
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        "pyproject.toml": pyproject["project"]["version"],
        "nmt/__init__.py": _find(r'^__version__ = "(.*)"$', package),
        "CITATION.cff": _find(r"^version: (.*)$", citation),
        "version of Chart.yaml": _find(r"^version: (.*)$", chart),
        # The chart pulls images with this tag unless the values name another one.
        "appVersion of Chart.yaml": _find(r'^appVersion: "(.*)"$', chart),
    }


def _find(pattern: str, text: str) -> str:
    """Return the first match, or a word that no version equals."""
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else "nothing"


def section_of(version: str, changelog: str, name: str = "CHANGELOG.md") -> str:
    """Return the text below the version's heading, `## 1.2.3 (2026-01-31)`.

    Raises:
        ReleaseError: the section is missing or has no date.
    """
    headings = list(_HEADING.finditer(changelog))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading["version"] == version:
            _check_date(version, heading["date"], name)
            end = following.start() if following else len(changelog)
            return changelog[heading.end() : end].strip()
    raise ReleaseError(f"{name} has no section for {version}")


def _check_date(version: str, written: str | None, name: str) -> None:
    """Refuse a heading without a real date."""
    try:
        date.fromisoformat(written or "")
    except ValueError:
        raise ReleaseError(
            f"the heading for {version} in {name} has no date like (2026-01-31)"
        ) from None


def main(words: list[str]) -> int:
    """Check a tag and return the exit code."""
    parser = argparse.ArgumentParser(description="Check that a tag may be released.")
    parser.add_argument("tag", help="a tag like v1.2.3")
    parser.add_argument("--notes", action="store_true", help="print the changelog's section")
    options = parser.parse_args(words)
    try:
        notes = check(options.tag, PROJECT)
    except ReleaseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.notes:
        sys.stdout.write(f"{notes}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
