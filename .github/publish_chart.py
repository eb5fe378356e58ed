"""Complete the chart with what only the place of its publication tells, before `helm package`.

Run it as `python .github/publish_chart.py OWNER/REPOSITORY helm/nmt`: it writes into the chart's
Chart.yaml, README.md and CHANGELOG.md. It needs nothing beyond Python itself, as check_release.py.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from check_release import ReleaseError, section_of

IMAGES = ("nmt-ray", "nmt-tools")
_KIND = re.compile(r"^### (Added|Changed|Deprecated|Removed|Fixed|Security)$")


@dataclass(frozen=True)
class Place:
    """Where a version of the chart is published."""

    repository: str
    """On GitHub, `OWNER/NAME`."""
    version: str

    @property
    def home(self) -> str:
        """Return the page of the repository."""
        return f"https://github.com/{self.repository}"

    @property
    def files(self) -> str:
        """Return the address below which the files of this version are pages."""
        return f"{self.home}/blob/v{self.version}"

    @property
    def icon(self) -> str:
        """Return the address of the icon."""
        return (
            f"https://raw.githubusercontent.com/{self.repository}/v{self.version}/helm/nmt/icon.svg"
        )

    def image(self, name: str) -> str:
        """Name an image as the release pushes it."""
        owner = self.repository.partition("/")[0].lower()
        return f"ghcr.io/{owner}/{name}:{self.version}"


def complete_metadata(chart: str, place: Place, changelog: str) -> str:
    """Return the text of Chart.yaml with the addresses, images and changes of a publication."""
    head, annotations = re.split(r"(?m)^(?=annotations:)", chart)
    head = re.sub(r"(?m)^icon: .*$", f"icon: {place.icon}", head)
    addresses = f"home: {place.home}\nsources:\n  - {place.home}/tree/v{place.version}\n"
    return head + addresses + annotations + "".join(_annotations(place, changelog))


def _annotations(place: Place, changelog: str) -> Iterator[str]:
    """Yield the annotations of Artifact Hub, each of which holds YAML as a text."""
    images = [{"name": name, "image": place.image(name)} for name in IMAGES]
    pages = {"Documentation": "docs/kubernetes.md", "Settings": "docs/reference.md"}
    links = [{"name": name, "url": f"{place.files}/{page}"} for name, page in pages.items()]
    changes = list(changes_of(section_of(place.version, changelog)))
    for key, entries in {"images": images, "links": links, "changes": changes}.items():
        yield f"  artifacthub.io/{key}: |\n{_block(entries)}"


def _block(entries: Iterable[dict[str, str]]) -> str:
    """Write a list as a block of YAML; a JSON object is YAML too."""
    return "".join(f"    - {json.dumps(entry, ensure_ascii=False)}\n" for entry in entries)


def changes_of(section: str) -> Iterator[dict[str, str]]:
    """Yield the kind and the text of each entry below `### Added`, `### Fixed` and so on."""
    kind = "changed"
    for block in re.split(r"\n(?=\* |### )|\n\n", section):
        heading = _KIND.match(block.strip())
        if heading:
            kind = heading[1].lower()
        elif block.startswith("* "):
            yield {"kind": kind, "description": " ".join(block[2:].split())}


def absolute_links(page: str, place: Place) -> str:
    """Let links to files of the repository lead to its pages, since the archive lacks them."""
    return page.replace("](../../", f"]({place.files}/")


def main(words: list[str]) -> int:
    """Complete a chart and return the exit code."""
    parser = argparse.ArgumentParser(description="Complete the chart for its publication.")
    parser.add_argument("repository", help="OWNER/NAME on GitHub")
    parser.add_argument("chart", type=Path, help="folder of the chart")
    options = parser.parse_args(words)
    try:
        publish(options.chart, options.repository)
    except ReleaseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def publish(chart: Path, repository: str) -> None:
    """Write the metadata and the pages of a chart for their publication."""
    metadata = chart / "Chart.yaml"
    text = metadata.read_text(encoding="utf-8")
    place = Place(repository, re.findall(r"(?m)^version: (.*)$", text)[0])
    for name in ("README.md", "CHANGELOG.md"):
        page = (chart / name).read_text(encoding="utf-8")
        (chart / name).write_text(absolute_links(page, place), encoding="utf-8")
    changelog = (chart / "CHANGELOG.md").read_text(encoding="utf-8")
    metadata.write_text(complete_metadata(text, place, changelog), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
