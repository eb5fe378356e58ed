"""The README of the chart, which helm-docs writes from the values and their comments."""

import json
import re
import shutil
import subprocess

import yaml

from nmt import __version__
from tests.support.chart.programs import program
from tests.support.chart.rendering import CHART, JsonObject

README = (CHART / "README.md").read_text("utf-8")
_KEY = re.compile(r"^(?P<indent> *)# -- (?P<description>.*)\n *(?P<key>[\w.]+):", re.M)
_ROW = re.compile(
    r"^\| (?P<key>[\w.]+) \| [a-z]+ \| `?(?P<default>.*?)`? \| (?P<description>.*) \|$", re.M
)
_GROUP = re.compile(r"^(?P<indent> *)(?P<key>\w+):$", re.M)


def documented(values: str) -> dict[str, str]:
    """Return the dotted keys of a values file and what the comment above each says."""
    parents: list[str] = []
    found = {}
    for match in sorted([*_KEY.finditer(values), *_GROUP.finditer(values)], key=lambda m: m.end()):
        parents[len(match["indent"]) // 2 :] = [match["key"]]
        if "description" in match.groupdict():
            found[".".join(parents)] = match["description"]
    return found


def rows(page: str) -> dict[str, tuple[str, str]]:
    """Return the dotted keys of the table of values, with their defaults and descriptions."""
    return {row["key"]: (row["default"], row["description"]) for row in _ROW.finditer(page)}


def default_of(values: JsonObject, key: str) -> object:
    """Find the default of a dotted key."""
    for part in key.split("."):
        values = values[part]
    return values


def test_the_readme_has_every_key_with_its_description_in_the_order_of_the_values():
    described = documented((CHART / "values.yaml").read_text("utf-8"))
    assert described.keys() >= {"image.repository", "workers.cpu.cpus", "serving.pods.max"}
    shown = {key: description for key, (_, description) in rows(README).items()}
    assert list(shown.items()) == list(described.items()), "run `make schema`"


def test_the_readme_has_every_default():
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    shown = {key: json.loads(default) for key, (default, _) in rows(README).items() if default}
    assert shown == {key: default_of(values, key) for key in shown}, "run `make schema`"


def test_only_sections_are_without_a_default():
    keys = list(rows(README))
    assert all(
        default or any(other.startswith(f"{key}.") for other in keys)
        for key, (default, _) in rows(README).items()
    )


def test_the_readme_names_the_version_of_the_chart_and_of_the_images():
    assert f"This is version {__version__} of the chart, for version {__version__} of" in README


def test_the_readme_lists_every_values_file_with_what_it_is_for():
    listed = dict(re.findall(r"^\| \[(.*?)\]\(values/.*?\) \| (.*) \|$", README, re.M))
    assert sorted(listed) == sorted(path.name for path in CHART.glob("values/*.yaml"))
    assert all(text.endswith(".") and len(text) > 20 for text in listed.values())


def test_the_readme_is_what_helm_docs_writes(tmp_path):
    helm_docs = program("helm-docs", installed_by="make schema")
    chart = shutil.copytree(CHART, tmp_path / "nmt")
    (chart / "README.md").unlink()
    subprocess.run([helm_docs, "-c", str(chart), "-s", "file"], check=True, capture_output=True)
    assert (chart / "README.md").read_text("utf-8") == README, "run `make schema`"
