"""The values on the page for platform teams are taken by the chart as they stand."""

import re

import pytest
import yaml

from tests.support.chart.rendering import render
from tests.support.project import PROJECT

PAGE = (PROJECT / "docs" / "platform.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split(":")[0])
def test_the_values_of_the_page_can_be_installed(text):
    assert render(yaml.safe_load(text))


def test_the_page_has_examples():
    assert len(EXAMPLES) > 5
