"""Parts of the RayService that the chart renders."""

from tests.support.chart.rendering import JsonObject, kinds, render


def service(values: JsonObject | None = None) -> JsonObject:
    (found,) = kinds(render(values), "RayService").values()
    return found["spec"]


def head(values: JsonObject | None = None) -> JsonObject:
    return service(values)["rayClusterConfig"]["headGroupSpec"]["template"]


def group(values: JsonObject | None = None) -> JsonObject:
    (found,) = service(values)["rayClusterConfig"]["workerGroupSpecs"]
    return found
