"""The page about monitoring lists what the endpoint shows, and the chart asks for nothing else."""

import json
import re

import pytest

from nmt.serving.monitoring.access_log import AccessLog
from nmt.serving.monitoring.signals import EVENT_SIGNALS, LATENCY_RATIOS, PAIRED_SIGNALS
from tests.support.project import PROJECT
from tests.support.serving_metrics import exported_metrics

ALERTS = PROJECT / "helm" / "nmt" / "templates" / "monitoring" / "alerts.yaml"
CODE = re.compile(r"`([^`]+)`")


@pytest.fixture(scope="module")
def page() -> str:
    return (PROJECT / "docs" / "monitoring.md").read_text("utf-8")


def first_column(page: str, heading: str) -> list[str]:
    """Return what is in code in the first column of the table under a heading."""
    table = page.partition(f"| {heading} |")[2].partition("\n\n")[0]
    cells = [row.split(" | ")[0] for row in table.splitlines() if row.startswith("| `")]
    return [name for cell in cells for name in CODE.findall(cell)]


def rows() -> list[str]:
    """Return the rows of the table of metrics, as they should be."""
    found = []
    for metric in exported_metrics():
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        meaning = metric.meaning.rstrip(".")
        meaning = meaning[0].lower() + meaning[1:]
        found.append(f"| `{metric.name}` | {metric.type} | {labels} | {meaning} |")
    return found


def test_every_metric_is_in_the_table_with_its_type_labels_and_meaning(page):
    found = [row for row in page.splitlines() if row.startswith("| `nmt_")]
    assert found == rows()


def test_every_metric_named_on_the_page_exists(page):
    known = {row.split("`")[1] for row in rows()}
    named = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"nmt_\w+", page)}
    assert named <= known


def test_every_alert_is_on_the_page(page):
    # The alerts about phases of campaigns are a list of names.
    written = re.findall(r"(?:- alert: |\(list \")(Nmt\w+)", ALERTS.read_text("utf-8"))
    assert first_column(page, "alert") == written


def test_every_field_of_the_access_log_is_on_the_page(page, tmp_path):
    log = AccessLog(tmp_path / "access.log")
    log.write(request_id="r", method="GET", path="/", status=200, seconds=0.1)
    log.close()
    fields = list(json.loads((tmp_path / "access.log").read_text()))
    assert first_column(page, "field") == fields
    (example,) = re.findall(r"```json\n(.*)\n```", page)
    assert list(json.loads(example)) == fields


def test_every_signal_is_on_the_page(page):
    assert first_column(page, "signal") == [*PAIRED_SIGNALS, *LATENCY_RATIOS, *EVENT_SIGNALS]
