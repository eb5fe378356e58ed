"""The chart's metadata, and what a release adds to it before it is packaged."""

import base64
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT, load_script

CHART = PROJECT / "helm" / "nmt"
CHANGES = """\
# Changes of the chart

## 0.1.0 (2026-12-01)

### Added

* An Ingress for "hosts": it
  continues here. See [serving](../../docs/serving.md).

### Fixed

* A policy.

## 0.0.1 (2026-01-01)

* Old.
"""


def read(chart: Path) -> dict[str, Any]:
    return yaml.safe_load((chart / "Chart.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def publisher() -> ModuleType:
    return load_script(PROJECT / ".github" / "publish_chart.py")


@pytest.fixture
def published(publisher, tmp_path) -> Path:
    """The chart as a release of version 0.1.0 in a repository packages it."""
    chart = shutil.copytree(CHART, tmp_path / "nmt")
    text = (chart / "Chart.yaml").read_text("utf-8")
    version = read(chart)["version"]
    (chart / "Chart.yaml").write_text(text.replace(f"version: {version}", "version: 0.1.0"))
    (chart / "CHANGELOG.md").write_text(CHANGES, "utf-8")
    assert publisher.main(["Team/nmt", str(chart)]) == 0
    return chart


def annotation(chart: Path, name: str) -> list[dict[str, str]]:
    """Read an annotation of Artifact Hub, which is YAML in a text."""
    return yaml.safe_load(read(chart)["annotations"][f"artifacthub.io/{name}"])


def test_the_icon_of_the_chart_is_its_file():
    start, _, content = read(CHART)["icon"].partition(",")
    assert start == "data:image/svg+xml;base64"
    assert base64.b64decode(content) == (CHART / "icon.svg").read_bytes()


def test_a_published_chart_keeps_its_metadata_and_names_its_repository(published):
    before, after = read(CHART), read(published)
    changed = {"version", "icon", "home", "sources", "annotations"}
    assert {k: v for k, v in before.items() if k not in changed}.items() <= after.items()
    assert before["annotations"].items() <= after["annotations"].items()
    assert after["home"] == "https://github.com/Team/nmt"
    assert after["sources"] == ["https://github.com/Team/nmt/tree/v0.1.0"]
    assert after["icon"].endswith("/Team/nmt/v0.1.0/helm/nmt/icon.svg")


def test_a_published_chart_names_the_images_that_the_release_has_pushed(published):
    images = [image["image"] for image in annotation(published, "images")]
    assert images == ["ghcr.io/team/nmt-ray:0.1.0", "ghcr.io/team/nmt-tools:0.1.0"]
    workflow = (PROJECT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    assert 'image="ghcr.io/${OWNER,,}/nmt-$TARGET:$VERSION"' in workflow
    assert "target: [ray, tools]" in workflow


def test_a_published_chart_lists_the_changes_of_its_version_by_kind(published):
    page = "https://github.com/Team/nmt/blob/v0.1.0/docs/serving.md"
    assert annotation(published, "changes") == [
        {
            "kind": "added",
            "description": f'An Ingress for "hosts": it continues here. See [serving]({page}).',
        },
        {"kind": "fixed", "description": "A policy."},
    ]


def test_links_of_a_published_chart_lead_to_files_of_its_version(published):
    pages = [(published / name).read_text("utf-8") for name in ("README.md", "CHANGELOG.md")]
    assert not any("](../../" in page for page in pages)
    links = [link["url"] for link in annotation(published, "links")]
    files = [link.removeprefix("https://github.com/Team/nmt/blob/v0.1.0/") for link in links]
    assert all((PROJECT / file).is_file() for file in files)


def test_a_version_without_a_dated_section_is_not_published(publisher, tmp_path):
    chart = shutil.copytree(CHART, tmp_path / "nmt")
    (chart / "CHANGELOG.md").write_text("# Changes\n\n## Unreleased\n", "utf-8")
    with pytest.raises(publisher.ReleaseError, match="no section"):
        publisher.publish(chart, "Team/nmt")
