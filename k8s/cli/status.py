"""The command `status` for a release: its endpoint, its cluster, its campaigns and its jobs."""

from collections.abc import Mapping

from k8s.api.cluster import RAY_CLUSTER, RAY_SERVICE, JsonObject
from k8s.cli.campaigns import campaign_rows, campaigns_table
from k8s.cli.jobs import job_rows, jobs_table
from k8s.cli.output import Clock, Output
from k8s.observe.diagnose import diagnose
from k8s.observe.lookup import Target, release_pods, without_leftovers
from k8s.observe.readiness import applications_of, read_readiness

_SHOWN_JOBS = 8
_LINES = ("endpoint", "upgrade", "cluster", "problem")


def show_release(target: Target, output: Output, clock: Clock) -> int:
    """Print the state of a release."""
    release = target.release
    jobs = job_rows(target, clock)
    campaigns = campaign_rows(target, clock)
    pods = release_pods(target.cluster, release)
    problem = diagnose(without_leftovers(target, pods))
    endpoint, upgrade, is_stuck = _endpoint(target, pods, clock)
    value: dict[str, object] = {
        "release": release.name,
        "namespace": release.namespace,
        "version": release.chart_version,
        "storage": release.storage,
        "endpoint": endpoint,
        "upgrade": upgrade,
        "upgrade_is_stuck": is_stuck,
        "cluster": _cluster(target),
        "problem": str(problem or ""),
        "campaigns": campaigns,
        "jobs": jobs,
    }
    # Programs get all jobs; people see those that fit a screen.
    output.answer(value, _text(value, campaigns, jobs[:_SHOWN_JOBS]))
    return 0


def _text(
    value: Mapping[str, object], campaigns: list[dict[str, str]], jobs: list[dict[str, str]]
) -> str:
    lines = [
        f"release  {value['release']} {value['version']} in namespace {value['namespace']}, "
        f"storage {value['storage']}"
    ]
    lines += [f"{key:<9}{value[key]}" for key in _LINES if value[key]]
    lines += [campaigns_table(campaigns)] if campaigns else []
    lines += [f"{row['name']}: {row['message']}" for row in campaigns if row["message"]]
    lines += [jobs_table(jobs)] if jobs else ["no jobs"]
    if value["endpoint"]:
        # Only the storage root knows the engine, and reading it may take a Pod.
        lines.append("engine of the endpoint: nmt-k8s traffic")
    return "\n".join(lines)


def _endpoint(target: Target, pods: list[JsonObject], clock: Clock) -> tuple[str, str, bool]:
    """Describe the endpoint and its upgrade, and tell whether the upgrade is stuck."""
    name = target.release.service
    if not name:
        return "", "", False
    service = target.cluster.get(RAY_SERVICE, name)
    if service is None:
        return f"{name}: no such RayService; upgrade the release", "", False
    found = read_readiness(service, pods, clock.now())
    apps = _applications(service.get("status", {}))
    text = f"{target.release.endpoint}:8000 {found.text}" + (f", {apps}" if apps else "")
    upgrade = found.upgrade
    if upgrade is None:
        return text, "", False
    advice = f" -> {upgrade.remedy}" if upgrade.remedy else ""
    return text, f"{upgrade}{advice}", upgrade.is_stuck


def _applications(status: JsonObject) -> str:
    texts: list[str] = []
    for name, about in applications_of(status).items():
        texts.append(f"application {name} {about.get('status', 'unknown')}")
        deployments: dict[str, JsonObject] = about.get("serveDeploymentStatuses") or {}
        texts += [f"{part} {state.get('status', 'unknown')}" for part, state in deployments.items()]
    return ", ".join(texts)


def _cluster(target: Target) -> str:
    name = target.release.cluster
    if not name:
        return ""
    cluster = target.cluster.get(RAY_CLUSTER, name)
    if cluster is None:
        return f"{name}: no such RayCluster; upgrade the release"
    status = cluster.get("status", {})
    workers = status.get("availableWorkerReplicas", 0)
    return f"{name} {status.get('state') or 'not ready'}, {workers} worker Pods"
