"""A section or a key without content in a values file is the default."""

from collections.abc import Iterator
from types import NoneType
from typing import get_args

import helm_python
import pytest
from pydantic import BaseModel

from helm.values.kubernetes import Fragment
from helm.values.nmt import ChartValues
from nmt.config import Config
from tests.support.chart.rendering import CHART, EVERYTHING, JsonObject, notes, release_json, render


def _sections(section: BaseModel, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel) and not isinstance(value, Config | Fragment):
            yield from _sections(value, (*path, field.alias or name))


def _keys(path: tuple[str, ...]) -> list[str]:
    """The keys of a section, but those for which null means something else."""
    section: BaseModel = ChartValues()
    for part in path:
        fields = type(section).model_fields.items()
        section = getattr(section, next(name for name, field in fields if field.alias == part))
    fields = type(section).model_fields.values()
    return [str(f.alias) for f in fields if NoneType not in get_args(f.annotation)]


SECTIONS = list(_sections(ChartValues(), ()))
IMAGES = {"image", "toolsImage"}
"""Sections that every release has to fill."""


def put(path: tuple[str, ...], content: JsonObject | None) -> JsonObject:
    for key in reversed(path):
        content = {key: content}
    return content or {}


@pytest.mark.parametrize("path", [p for p in SECTIONS if p and p[0] not in IMAGES], ids=".".join)
def test_a_section_without_content_is_the_default(path):
    assert render(put(path, None)) == render()
    assert notes(put(path, None)) == notes()


@pytest.mark.parametrize("path", [p for p in SECTIONS if not IMAGES & {*p}], ids=".".join)
def test_keys_without_content_are_the_defaults(path):
    keys = [key for key in _keys(path) if key not in IMAGES]
    assert keys
    assert render(put(path, dict.fromkeys(keys))) == render()


@pytest.mark.parametrize("section", ["networkPolicies", "storage", "jobs", "priorities"])
def test_a_section_without_content_is_the_default_beside_other_values(section):
    assert render({**EVERYTHING, section: None}) == render(EVERYTHING)


@pytest.mark.parametrize("image", sorted(IMAGES))
def test_an_image_without_content_has_to_be_named(image):
    with pytest.raises(helm_python.HelmError, match=rf"{image}\.repository is empty"):
        render({image: {"repository": None}})


def test_a_worker_group_without_content_is_the_default():
    assert render({"workers": {"cpu": None}}) == render()


def test_a_default_worker_group_can_be_removed():
    values = {
        "workers": {"cpu": None, "big": {"cpus": 8}},
        "jobs": {"workers": "big"},
        "cluster": {"workers": ["big"]},
    }
    assert list(release_json(render(values))["workerGroups"]) == ["big"]


def test_every_template_begins_with_the_completed_values():
    templates = [
        path
        for path in (CHART / "templates").rglob("*")
        if path.is_file() and not path.name.startswith("_")
    ]
    first = '{{- include "nmt.begin" . '
    assert [p.name for p in templates if not p.read_text("utf-8").startswith(first)] == []
