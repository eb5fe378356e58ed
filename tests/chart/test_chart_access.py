"""Priorities: the names of classes, and who creates them."""

from tests.support.chart.rendering import JsonObject, kinds, pods, render

EXISTING: JsonObject = {"priorities": {"existing": {"train": "batch", "tune": "batch-low"}}}


def classes(values: JsonObject | None = None, **place: str) -> set[str]:
    return set(kinds(render(values, **place), "PriorityClass"))


def test_names_that_are_joined_alike_are_kept_apart():
    first = classes(name="c", namespace="a-b")
    assert not first & classes(name="b-c", namespace="a")


def test_the_name_of_a_class_tells_its_namespace_and_release():
    assert {name.rpartition("-")[2] for name in classes()} == {"serve", "train", "tune"}
    assert all(name.startswith("team-demo-") for name in classes())


def test_an_existing_class_takes_the_place_of_the_releases_own():
    [name] = classes(EXISTING)
    assert name.endswith("-serve")
    used = {pod.spec.get("priorityClassName") for pod in pods(render(EXISTING))}
    assert name in used


def test_existing_classes_are_used_where_none_are_created():
    values = {"priorities": {"create": False, "existing": {"serve": "gold"}}}
    manifests = render(values)
    assert not kinds(manifests, "PriorityClass")
    [service] = kinds(manifests, "RayService").values()
    head = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]
    assert head["spec"]["priorityClassName"] == "gold"
