"""The campaigns that the pages and configs/ show follow the definition and can be used."""

import re

import pytest
import yaml

from helm.crd.definition import definition
from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.settings import revision_settings
from k8s.objects.release import Release
from tests.support.chart.custom_resources import faults
from tests.support.chart.rendering import RELEASES, JsonObject, release_json, render
from tests.support.project import CODE_BLOCK, PROJECT

PAGE = (PROJECT / "docs" / "campaigns-on-kubernetes.md").read_text("utf-8")
EXAMPLE = PROJECT / "configs" / "kubernetes" / "campaign.yaml"
TINY = PROJECT / "configs" / "campaign_tiny.yaml"


def shown() -> list[JsonObject]:
    blocks = [text for language, text in CODE_BLOCK.findall(PAGE) if language == "yaml"]
    return [yaml.safe_load(text) for text in (*blocks, EXAMPLE.read_text("utf-8"))]


@pytest.mark.parametrize("campaign", shown(), ids=lambda campaign: campaign["metadata"]["name"])
def test_a_campaign_that_is_shown_can_be_used(campaign: JsonObject) -> None:
    (version,) = definition()["spec"]["versions"]
    assert faults(version["schema"]["openAPIV3Schema"], campaign) == []
    metadata = {**campaign["metadata"], "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    parsed = Campaign.parse({**campaign, "metadata": metadata})
    assert parsed.problem == ""
    assert parsed.spec
    installed = release_json(render(RELEASES["laptop"], name="nmt"))
    assert revision_settings(Release.model_validate(installed), parsed.spec).inputs


def test_the_example_has_the_settings_of_the_file_that_is_tried_on_a_laptop() -> None:
    settings = yaml.safe_load(TINY.read_text("utf-8"))
    settings.pop("run")
    assert yaml.safe_load(EXAMPLE.read_text("utf-8"))["spec"]["config"] == settings


def test_the_page_names_every_phase_and_every_action() -> None:
    (version,) = definition()["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]
    phases = schema["status"]["properties"]["phase"]["enum"]
    actions = schema["spec"]["properties"]["action"]["properties"]["do"]["enum"]
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert {*phases, *actions} <= named
