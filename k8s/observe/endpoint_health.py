"""Checks of the endpoint of a release: whether it answers, and whether its head may be replaced."""

from collections.abc import Iterator, Sequence

from k8s.api.cluster import RAY_SERVICE, JsonObject
from k8s.observe.lookup import Target, release_pods
from k8s.observe.readiness import Readiness, read_readiness, serving_pods
from nmt.cli.diagnostics import Finding

# What KubeRay and the chart set in the head's environment, by the store that it means.
_STORES = {"RAY_gcs_storage": "embedded", "RAY_REDIS_ADDRESS": "redis"}


def check_endpoint(target: Target, now: float) -> Iterator[Finding]:
    """Yield whether the endpoint takes requests, and how far its upgrade is."""
    name = target.release.service
    if not name:
        return
    service = target.cluster.get(RAY_SERVICE, name)
    if service is None:
        yield Finding("endpoint", "bad", f"there is no RayService {name}", "upgrade the release")
        return
    found = read_readiness(service, release_pods(target.cluster, target.release), now)
    yield _readiness(found)
    if found.upgrade:
        state = "bad" if found.upgrade.is_stuck else "note"
        yield Finding("upgrade", state, str(found.upgrade), found.upgrade.remedy)


def _readiness(found: Readiness) -> Finding:
    if found.is_ready:
        return Finding("endpoint", "ok", found.text)
    if found.lacks_engine:
        # Normal until the first promotion, and only the storage says whether there was one.
        return Finding("endpoint", "note", found.text, "promote a run: `nmt-k8s promote run=NAME`")
    first = found.pending if found.upgrade is None else None
    if first and not first.is_stuck:
        return Finding("endpoint", "note", found.text, first.remedy or "wait for its Pods")
    advice = first.remedy if first else "see `pods` below"
    return Finding("endpoint", "bad", found.text, advice)


def check_head_state(target: Target, now: float) -> Iterator[Finding]:
    """Yield where the head of the endpoint keeps its state, as its Pod has it."""
    wanted = target.release.head_state
    if not target.release.service or not wanted:
        return
    heads = serving_pods(release_pods(target.cluster, target.release), "head")
    used = sorted({_store(head) for head in heads})
    if wanted == "none":
        text = "the head keeps no state: the endpoint stops answering while it is replaced"
        advice = "set serving.headState to embedded or redis"
        yield Finding("headState", "note", text, advice)
    elif not used:
        yield Finding("headState", "note", f"{wanted}; the head has no Pod now", "see `endpoint`")
    elif used == [wanted]:
        yield Finding("headState", "ok", f"{wanted}, used by {_names(heads)}")
    else:
        text = f"{wanted}, but {_names(heads)} uses {', '.join(used)}"
        yield Finding("headState", "note", text, "wait for the end of the upgrade: see `upgrade`")


def _store(head: JsonObject) -> str:
    """Return where a head Pod keeps its state, by its environment."""
    names = {each["name"] for each in head["spec"]["containers"][0].get("env", [])}
    return next((store for name, store in _STORES.items() if name in names), "none")


def _names(pods: Sequence[JsonObject]) -> str:
    return ", ".join(sorted(pod["metadata"]["name"] for pod in pods))
