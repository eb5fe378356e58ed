"""The definition of TranslationCampaign: its form, its limits, and what it refuses."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from helm.crd.definition import PATHS, SCHEMA_ANNOTATION, definition
from helm.crd.structural import structural
from k8s.objects.campaign.spec import CampaignSpec
from nmt.config import Config
from nmt.config.section import Section
from tests.support.chart.custom_resources import faults
from tests.support.chart.rendering import CHART, EVERYTHING, JsonObject, kinds, render

CAMPAIGN: JsonObject = {
    "apiVersion": "nmt.internal/v1alpha1",
    "kind": "TranslationCampaign",
    "metadata": {"name": "hospital"},
    "spec": {
        "release": "nmt",
        "config": {
            "data": {"path": "corpora/hospital.tsv"},
            "adapter": {"type": "lora", "rank": 8},
            "tune": {"space": {"training.learning_rate": {"type": "loguniform", "low": 1e-5}}},
        },
        "workers": {"training": "gpu"},
        "schedule": {"cron": "0 2 * * 1", "timeZone": "Asia/Kolkata"},
        "action": {"id": "1", "do": "promote"},
    },
}
MAX_BYTES = 500_000
"""etcd takes 1.5 MB, and `kubectl apply` without `--server-side` keeps a copy in an annotation."""


@pytest.fixture(scope="module")
def crd() -> JsonObject:
    return definition()


@pytest.fixture(scope="module")
def schema(crd: JsonObject) -> JsonObject:
    (version,) = crd["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]


def nodes(schema: JsonObject, path: str = "$") -> Iterator[tuple[str, JsonObject]]:
    """Yield every schema below one, with its path."""
    yield path, schema
    for name, sub in schema.get("properties", {}).items():
        yield from nodes(sub, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}[]")


def test_every_value_has_one_type(schema: JsonObject) -> None:
    for path, node in nodes(schema):
        open_to_all = node.get("x-kubernetes-preserve-unknown-fields", False)
        assert open_to_all or isinstance(node.get("type"), str), path
        assert not ("properties" in node and "additionalProperties" in node), path


def test_only_search_ranges_and_lists_of_references_take_any_value(schema: JsonObject) -> None:
    found = {path for path, node in nodes(schema) if "x-kubernetes-preserve-unknown-fields" in node}
    sets = "$.spec.config.evaluation.sets[]"
    assert found == {
        f"{sets}.target_path",
        f"{sets}.target_column",
        "$.spec.config.tune.space[].values[]",
        "$.spec.config.tune.method_space[][].values[]",
    }


def test_a_schema_uses_no_word_that_a_structural_one_may_not(schema: JsonObject) -> None:
    used = {word for _, node in nodes(schema) for word in node}
    assert used <= {
        *("type", "description", "properties", "items", "additionalProperties", "required"),
        *("enum", "pattern", "format", "nullable", "minimum", "maximum", "exclusiveMinimum"),
        *(
            "exclusiveMaximum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "maxProperties",
            "minProperties",
        ),
        *("x-kubernetes-validations", "x-kubernetes-preserve-unknown-fields"),
        *("x-kubernetes-list-type", "x-kubernetes-list-map-keys"),
    }


def test_settings_have_neither_defaults_nor_needed_keys(schema: JsonObject) -> None:
    """Those of the release come first."""
    for path, node in nodes(schema["properties"]["spec"]["properties"]["config"]):
        assert "default" not in node, path
        assert "required" not in node, path


def test_every_text_list_and_mapping_of_the_spec_has_a_limit(schema: JsonObject) -> None:
    """Without limits the API server cannot tell what a rule costs, and refuses it."""
    bounds = {"string": ("maxLength", "enum"), "array": ("maxItems",), "object": ("maxProperties",)}
    for path, node in nodes(schema["properties"]["spec"]):
        if node.get("type") != "object" or "additionalProperties" in node:
            needed = bounds.get(node.get("type", ""), ())
            assert not needed or any(bound in node for bound in needed), path


def test_every_field_of_the_spec_is_described(schema: JsonObject) -> None:
    for path, node in nodes(schema["properties"]["spec"]):
        assert path.endswith("[]") or "description" in node, path


def test_the_file_is_small_enough_for_etcd_and_for_every_way_to_apply_it() -> None:
    assert (CHART / "files" / "crd-translationcampaigns.yaml").stat().st_size < MAX_BYTES


def test_sections_of_the_release_are_not_among_the_settings(schema: JsonObject) -> None:
    config = schema["properties"]["spec"]["properties"]["config"]["properties"]
    assert set(Config.model_fields) - set(config) == {
        *("storage", "run", "serving", "tracking", "provenance", "plan")
    }


def test_every_setting_that_may_name_a_file_is_known() -> None:
    config = structural(Config, is_layer=True)
    own = config["properties"]
    described = {
        path.rpartition(".")[2].removesuffix("[]")
        for section in ("data", "model", "evaluation", "gate")
        for path, node in nodes(own[section])
        if node.get("type") == "string"
        and ("path" in path.rpartition(".")[2] or "file" in node.get("description", "").lower())
        and "format" not in path.rpartition(".")[2]
    }
    assert described <= PATHS


def test_a_campaign_that_follows_the_rules_is_accepted(schema: JsonObject) -> None:
    assert faults(schema, CAMPAIGN) == []


def _set(path: str, value: object) -> JsonObject:
    changed = deepcopy(CAMPAIGN)
    *parents, key = path.split(".")
    node: Any = changed
    for parent in parents:
        node = node.setdefault(parent, {})
    node[key] = value
    return changed


CONFIG = "spec.config"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("metadata.name", "a" * 31, "at most 30 characters"),
        ("metadata.name", "3rd", "begins with a lower-case letter"),
        ("metadata.name", "a.b", "hyphens alone"),
        ("spec.image", "mine", "spec: Additional properties"),
        ("spec.serviceAccountName", "admin", "spec: Additional properties"),
        (f"{CONFIG}.storage", "s3://other", "config: Additional properties"),
        (f"{CONFIG}.run", "other", "config: Additional properties"),
        (f"{CONFIG}.serving", {"name": "other"}, "config: Additional properties"),
        (f"{CONFIG}.data.path", "/etc/passwd", "relative to the storage root"),
        (f"{CONFIG}.data.path", "~/x", "relative to the storage root"),
        (f"{CONFIG}.data.path", "a/../../b", "relative to the storage root"),
        (f"{CONFIG}.data.test_path", "..", "relative to the storage root"),
        (f"{CONFIG}.model.name_or_path", "s3://other/model", "relative to the storage root"),
        (f"{CONFIG}.data.corpora", {"a": {"path": "/x"}}, "relative to the storage root"),
        (f"{CONFIG}.adapter.type", "ia3", "rank, alpha"),
        (f"{CONFIG}.adapter.virtual_tokens", 4, "only with type prefix, prompt"),
        (f"{CONFIG}.strategy", {"type": "single", "zero_stage": 2}, "only with type deepspeed"),
        (f"{CONFIG}.adapter.rank", 0, "less than the minimum"),
        (f"{CONFIG}.gate.metric", "ter", "is not one of"),
        (f"{CONFIG}.rollout", {"steps": [1, 50, 10, 100]}, "rise, and the last is 100"),
        (f"{CONFIG}.rollout", {"steps": [1, 1, 100]}, "rise, and the last is 100"),
        (f"{CONFIG}.rollout", {"steps": [1, 50]}, "rise, and the last is 100"),
        ("spec.schedule.cron", "0 2 * *", "five fields"),
        ("spec.schedule.cron", "@reboot", "five fields"),
        ("spec.schedule.concurrency", "Allow", "is not one of"),
        ("spec.action.id", "", "non-empty|too short"),
        ("spec.action.do", "delete", "is not one of"),
        ("spec.keep.revisions", 0, "less than the minimum"),
    ],
)
def test_what_breaks_a_rule_is_refused(
    schema: JsonObject, path: str, value: object, says: str
) -> None:
    found = "; ".join(faults(schema, _set(path, value)))
    assert any(part in found for part in says.split("|")), found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{CONFIG}.data.path", "a..b/c.tsv"),
        (f"{CONFIG}.model.name_or_path", "facebook/nllb-200-distilled-600M"),
        (f"{CONFIG}.adapter", {"rank": 4, "quantization": "nf4"}),
        (f"{CONFIG}.training", {"patience": None}),
        ("spec.schedule.cron", "@weekly"),
        ("spec.schedule.cron", "*/15 0-6 1,15 * 1-5"),
        (f"{CONFIG}.rollout", {"mode": "manual", "steps": [5, 100]}),
        ("spec.schedule", None),
    ],
)
def test_what_follows_the_rules_is_accepted(schema: JsonObject, path: str, value: object) -> None:
    assert faults(schema, _set(path, value)) == []


def test_the_release_of_a_campaign_cannot_be_changed(schema: JsonObject) -> None:
    """Rules about a change are checked by the API server alone."""
    release = schema["properties"]["spec"]["properties"]["release"]
    assert [rule["rule"] for rule in release["x-kubernetes-validations"]] == ["self == oldSelf"]


def test_conditions_and_steps_are_told_apart_by_a_key(schema: JsonObject) -> None:
    status = schema["properties"]["status"]["properties"]
    for field, key in (("conditions", "type"), ("steps", "name")):
        assert status[field]["x-kubernetes-list-type"] == "map"
        assert status[field]["x-kubernetes-list-map-keys"] == [key]
        assert key in status[field]["items"]["required"]


def test_the_schema_accepts_what_the_type_makes(schema: JsonObject) -> None:
    spec = CampaignSpec(release="nmt").model_dump(mode="json", by_alias=True)
    assert faults(schema, {**CAMPAIGN, "spec": spec}) == []


class _Odd(Section):
    """A section with a type that a structural schema cannot say."""

    pair: tuple[int, str] = (1, "a")


def test_a_type_without_counterpart_is_refused() -> None:
    with pytest.raises(ValueError, match="pair: 'prefixItems' has no counterpart"):
        structural(_Odd)


def test_the_chart_installs_the_definition_and_keeps_it() -> None:
    (made,) = kinds(render(EVERYTHING), "CustomResourceDefinition").values()
    plain = yaml.safe_load((CHART / "files" / "crd-translationcampaigns.yaml").read_text("utf-8"))
    assert made["spec"] == plain["spec"]
    assert made["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert SCHEMA_ANNOTATION in made["metadata"]["annotations"]


@pytest.mark.parametrize(
    "values", [{}, {"operator": {"enabled": True}, "crds": {"install": False}}]
)
def test_without_the_operator_or_on_demand_no_definition_is_installed(values: JsonObject) -> None:
    assert kinds(render(values), "CustomResourceDefinition") == {}


def test_the_names_of_the_kind(crd: JsonObject) -> None:
    names = crd["spec"]["names"]
    assert (names["shortNames"], names["categories"]) == (["tc"], ["nmt"])
    assert crd["metadata"]["name"] == f"{names['plural']}.{crd['spec']['group']}"
    (version,) = crd["spec"]["versions"]
    assert version["subresources"] == {"status": {}}
    columns = [column["name"] for column in version["additionalPrinterColumns"]]
    assert columns[:6] == ["Phase", "Run", "Progress", "Gain", "Serves", "Age"]
    assert Path(CHART / "files" / "crd-translationcampaigns.yaml").exists()
