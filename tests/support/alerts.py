"""The metrics that the chart's alerts ask for."""

import re

from tests.support.project import PROJECT

ALERTS = PROJECT / "helm" / "nmt" / "templates" / "monitoring" / "alerts.yaml"
_OPERATOR = "nmt_operator_"


def metrics_of_alerts(*, operator: bool) -> set[str]:
    """Return the families that alerts ask of the operator, or of the endpoint."""
    asked = set(re.findall(r"\b(nmt_\w+)\{", ALERTS.read_text("utf-8")))
    families = {name.removesuffix("_bucket") for name in asked}
    return {name for name in families if name.startswith(_OPERATOR) == operator}


def families_of(exposition: str) -> set[str]:
    """Return the names of the metric families in Prometheus' text format."""
    return set(re.findall(r"^# TYPE (\w+)", exposition, re.MULTILINE))
