"""Checks whether the images of a release can be pulled, by the Pods and jobs that use them."""

import re
from collections.abc import Callable, Iterator

from k8s.api.cluster import EVENT, JsonObject
from k8s.observe.diagnose import IMAGE_REASONS, container_states
from k8s.observe.lookup import Target, jobs_of, release_pods, unless_forbidden
from nmt.cli.diagnostics import Finding

_CREATING = ("ContainerCreating", "PodInitializing")


def check_images(target: Target, now: float) -> Iterator[Finding]:
    """Yield whether each image was pulled, is being pulled, or is not pulled."""
    pods, images = release_pods(target.cluster, target.release), target.release.images
    # The kubelet sets imageID only when the image is on the node.
    pulled = {image for pod in pods for image in _images(pod, lambda state: state.get("imageID"))}
    pulled |= _run_by_jobs(target) | {image for image, _ in _events(target, "Pulled")}
    for name, image, first in (
        ("image", images.ray, "the next job pulls it"),
        ("toolsImage", images.tools, "the next command that reads the storage pulls it"),
    ):
        if image in pulled:
            yield Finding(name, "ok", f"{image} was pulled")
        else:
            yield _not_pulled(target, pods, name, image, first)


def _not_pulled(
    target: Target, pods: list[JsonObject], name: str, image: str, first: str
) -> Finding:
    using = [pod for pod in pods if any(entry.get("image") == image for entry in _containers(pod))]
    if not using:
        return Finding(name, "note", f"no Pod has used {image} lately", first)
    waiting = {
        pod["metadata"]["name"]
        for pod in using
        # While one container cannot be pulled, those after it wait as at a normal start.
        if image in _images(pod, _is_created) and image not in _images(pod, _cannot_be_pulled)
    }
    pulling = waiting & {pod for found, pod in _events(target, "Pulling") if found == image}
    if pulling:
        return Finding(name, "note", f"{image} is being pulled by {sorted(pulling)[0]}", "wait")
    return Finding(name, "note", f"{image} is not pulled yet", "see `pods` below")


def _is_created(state: JsonObject) -> bool:
    waiting: JsonObject = state.get("state", {}).get("waiting") or {}
    return waiting.get("reason") in _CREATING


def _cannot_be_pulled(state: JsonObject) -> bool:
    waiting: JsonObject = state.get("state", {}).get("waiting") or {}
    return waiting.get("reason") in IMAGE_REASONS


def _run_by_jobs(target: Target) -> set[str]:
    """Return the images of the jobs that have started, which outlive their Pods."""
    started = [job for job in jobs_of(target) if job.get("status", {}).get("jobStatus")]
    specs = [job["spec"].get("rayClusterSpec") for job in started]
    heads = [spec["headGroupSpec"]["template"] for spec in specs if spec]
    return {head["spec"]["containers"][0].get("image", "") for head in heads}


def _events(target: Target, reason: str) -> set[tuple[str, str]]:
    """Return the images, and the Pods that pulled them, of the events of a reason."""
    # Kept for an hour, while the Pods of short commands are gone after seconds.
    events = unless_forbidden(lambda: target.cluster.select(EVENT, fields=f"reason={reason}"))
    quoted = [(re.search(r'image "([^"]+)"', each.get("message", "")), each) for each in events]
    return {(found[1], each["involvedObject"].get("name", "")) for found, each in quoted if found}


def _images(pod: JsonObject, is_wanted: Callable[[JsonObject], object]) -> set[str]:
    """Return the images of those containers of a Pod whose state is wanted."""
    names = {state.get("name") for state in container_states(pod) if is_wanted(state)}
    return {entry.get("image", "") for entry in _containers(pod) if entry["name"] in names}


def _containers(pod: JsonObject) -> list[JsonObject]:
    spec = pod.get("spec", {})
    return [*spec.get("initContainers", []), *spec.get("containers", [])]
