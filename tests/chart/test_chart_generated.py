"""The files generated from `helm.values`, and what their schema accepts and refuses."""

import json
from itertools import pairwise
from types import ModuleType

import jsonschema
import pytest
import yaml

from helm.values.nmt import ChartValues
from nmt import __version__
from tests.support.chart.rendering import (
    CHART,
    EVERYTHING,
    RELEASES,
    JsonObject,
    render,
    render_files,
)
from tests.support.project import load_script


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return load_script(CHART.parent / "generate.py")


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator(schema)


def test_schema_and_defaults_are_up_to_date(generator):
    assert generator.stale() == [], "run `make schema`"


def test_an_outdated_generated_file_is_named(generator, monkeypatch):
    monkeypatch.setattr(generator, "files", lambda: {CHART / "values.yaml": "old"})
    assert generator.stale() == ["helm/nmt/values.yaml"]


def test_chart_and_application_have_the_version_of_the_package():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_the_default_values_are_those_of_the_type():
    written = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    assert written["config"] == {}
    assert ChartValues.model_validate(written) == ChartValues()


def test_every_default_value_is_described():
    lines = (CHART / "values.yaml").read_text("utf-8").splitlines()
    groups = {"cpu:"}  # named by the user
    bare = [
        line
        for above, line in pairwise(lines)
        if not line.lstrip().startswith("#")
        and not above.lstrip().startswith("# --")
        and line.strip() not in groups
    ]
    assert bare == []


@pytest.mark.parametrize("name", RELEASES)
def test_the_type_accepts_what_the_schema_accepts(name, validator):
    validator.validate(RELEASES[name])
    ChartValues.model_validate(RELEASES[name])


def test_the_schema_allows_extra_keys_only_in_fragments_of_the_kubernetes_api(validator):
    found = _objects(validator.schema, "$")
    open_ones = {path.split(".")[-1] for path, node in found if _is_open(node)}
    sources = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image"}
    sources |= {"persistentVolumeClaim", "projected", "secret"}
    actions = {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}
    others = {"envFrom", "readinessGates", "resourceClaims", "resources", "valueFrom", "global"}
    assert open_ones == sources | actions | others


def _objects(node: object, path: str):
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield path, node
        for key, value in node.items():
            yield from _objects(value, path if key == "items" else f"{path}.{key}")
    elif isinstance(node, list):
        for item in node:
            yield from _objects(item, path)


def _is_open(node: JsonObject) -> bool:
    by_type = "allOf" in node  # whose members are closed
    return node.get("additionalProperties", True) is True and not by_type


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"adapter": {"rank": 8}},
        {"adapter": {"type": "lora", "rank": 8}},
        {"adapter": {"type": "none"}},
        {"adapter": {"type": "qlora", "rank": 8, "quantization": "nf4"}},
        {"strategy": {"type": "ddp"}},
        {"strategy": {"type": "deepspeed", "zero_stage": 2}},
        {"data": {"path": None}},
        {"training": {"patience": 3, "learning_rate": 0.0001}},
        {"tune": {"space": {"adapter.rank": {"type": "choice", "values": [8, 16]}}}},
        {"tune": {"space": {"adapter.alpha": {"type": "loguniform", "low": 0.1, "high": 1}}}},
    ],
)
def test_a_partial_config_is_accepted(validator, config):
    validator.validate({"config": config})


@pytest.mark.parametrize(
    "config",
    [
        {"adapter": {"type": "none", "rank": 8}},
        {"adapter": {"quantization": "nf4"}},
        {"adapter": {"type": "dora"}},
        {"strategy": {"zero_stage": 2}},
        {"tune": {"space": {"adapter.alpha": {"low": 0.1, "high": 1}}}},
        {"tune": {"space": {"adapter.alpha": {"type": "uniform", "low": 1}}}},
        {"tune": {"space": {"data.max_pairs": {"type": "choice", "values": [9]}}}},
        {"tune": {"space": {}}},
        {"learning_rate": 1},
    ],
)
def test_a_config_of_the_wrong_type_is_refused(validator, config):
    assert not validator.is_valid({"config": config})


def test_a_chart_that_depends_on_this_one_may_set_globals():
    assert render({"global": {"region": "eu"}}) == render()


def test_two_renderings_are_equal_byte_by_byte():
    first, second = (render_files(EVERYTHING) for _ in range(2))
    assert first == second
