"""Commands on the jobs of a release: list, show, cancel, and read the log."""

from collections.abc import Mapping

from k8s.api.cluster import RAY_JOB, JsonObject
from k8s.cli.output import Clock, Output
from k8s.cli.wait import problem_of
from k8s.observe.job_log import last_lines
from k8s.observe.job_status import JobState, JobStatus, read_job_status
from k8s.observe.lookup import Target, find_job, jobs_of, pods_of, run_of, step_of, submitters
from k8s.observe.timestamps import timestamp
from nmt.cli.durations import duration
from nmt.cli.table import table
from nmt.cli.translation import TRANSLATE
from nmt.errors import UnreachableError

_ACTIVE = (JobState.QUEUED, JobState.WAITING, JobState.RUNNING, JobState.RETRYING)


def list_jobs(target: Target, output: Output, clock: Clock) -> int:
    """Print one line per job, latest first."""
    rows = job_rows(target, clock)
    output.answer(rows, jobs_table(rows) if rows else f"no jobs of release {target.release.name}")
    return 0


def jobs_table(rows: list[dict[str, str]]) -> str:
    """Format jobs as a table."""
    heads = ("NAME", "STEP", "RUN", "STATE", "AGE", "TOOK")
    return table(heads, [tuple(row[head.lower()] for head in heads) for row in rows])


def job_rows(target: Target, clock: Clock) -> list[dict[str, str]]:
    """Return the fields that `list` shows of each job."""
    return [_job_row(job, clock.now()) for job in jobs_of(target)]


def _job_row(job: JsonObject, now: float) -> dict[str, str]:
    status = read_job_status(job)
    times = job.get("status", {})
    # A job that was never started counts from its creation.
    begun = timestamp(times.get("startTime")) or timestamp(job["metadata"]["creationTimestamp"])
    ended = timestamp(times.get("endTime")) if status.exit_code is not None else now
    return {
        "name": job["metadata"]["name"],
        "step": step_of(job),
        "run": run_of(job),
        "state": status.state.value + (f" ({status.exit_code})" if status.exit_code else ""),
        "age": duration(now - timestamp(job["metadata"]["creationTimestamp"])),
        "took": duration(ended - begun) if ended else "-",
    }


def show_job(target: Target, name: str, output: Output, clock: Clock) -> int:
    """Print state, message, Pods and the next command of a job."""
    job = find_job(target, name)
    status = read_job_status(job)
    problem = None if status.exit_code == 0 else problem_of(target.cluster, job)
    pods = [_pod(pod) for pod in pods_of(target.cluster, job)]
    step = next_command(job, status)
    value = _job_row(job, clock.now()) | {
        "exit_code": status.exit_code,
        "message": status.message,
        "problem": str(problem) if problem else "",
        "pods": pods,
        "next": step,
    }
    output.answer(value, _job_text(value, pods))
    return 0


def _job_text(value: Mapping[str, object], pods: list[dict[str, str]]) -> str:
    lines = [
        f"{value['name']}: {value['step']} of run '{value['run']}'",
        f"state    {value['state']}, made {value['age']} ago, took {value['took']}",
    ]
    lines += [f"{key:<9}{value[key]}" for key in ("message", "problem") if value[key]]
    if pods:
        rows = [(pod["name"], pod["phase"], pod["restarts"]) for pod in pods]
        lines.append(table(("POD", "PHASE", "RESTARTS"), rows))
    return "\n".join([*lines, f"next     {value['next']}"])


def _pod(pod: JsonObject) -> dict[str, str]:
    status = pod.get("status", {})
    restarts = sum(state.get("restartCount", 0) for state in status.get("containerStatuses", []))
    # The phase stays Running until the last container has stopped; `kubectl` shows this instead.
    terminating = "deletionTimestamp" in pod["metadata"]
    return {
        "name": pod["metadata"]["name"],
        "phase": "Terminating" if terminating else status.get("phase", "-"),
        "restarts": str(restarts),
    }


def next_command(job: JsonObject, status: JobStatus) -> str:
    """Suggest the next command."""
    name, run = job["metadata"]["name"], run_of(job)
    if status.state in _ACTIVE:
        return f"nmt-k8s logs {name} --follow"
    if status.state is not JobState.SUCCEEDED:
        return f"nmt-k8s logs {name}, then the same submit command, which resumes the step"
    if step_of(job) == TRANSLATE:
        return f"nmt-k8s logs {name}"
    exported = {"export", "pipeline"} & set(step_of(job).split())
    return f"nmt-k8s {'promote' if exported else 'status'} run={run}"


def cancel(target: Target, name: str, output: Output, *, dry_run: bool) -> int:
    """Delete a job, but nothing that it has stored."""
    job = find_job(target, name)
    status = read_job_status(job)
    if dry_run:
        output.note(f"would delete RayJob {name} ({status.state})")
        return 0
    target.cluster.delete(RAY_JOB, name)
    if status.state not in _ACTIVE:
        text = f"{name} had ended ({status.state}); its Pods are removed, its results are kept"
    else:
        step = step_of(job)
        options = " with the same options" if step == TRANSLATE else ""
        text = (
            f"{name} is cancelled; checkpoints and log are kept on the storage root. Resume with "
            f"the same command: nmt-k8s submit {step} run={run_of(job)}{options}"
        )
    output.answer({"name": name, "state": "cancelled"}, text)
    return 0


def write_pod_log(target: Target, name: str, output: Output, tail: int | None) -> bool:
    """Print the log of a job's submitter Pod; return False if there is no Pod or no log."""
    pods = submitters(target.cluster, name)
    try:
        # After a lost head there are several; the last one repeats the log of a surviving job.
        for pod in pods[-1:]:
            for line in last_lines(target.cluster, pod, tail):
                output.log_line(line)
    # A Pod that has not started, or whose node is gone, has no log; the storage root may have it.
    except UnreachableError:
        return False
    return bool(pods)
