"""What the status shows of the job at work."""

from nmt.runs import layout
from nmt.runs.job_progress import JOB_PROGRESS, JobProgress
from tests.support.k8s.campaign_world import World


def _start(world: World, job_id: str) -> str:
    """Let KubeRay start the job of the campaign, and return the name of its RayJob."""
    [job] = world.jobs()
    name = job["metadata"]["name"]
    world.cluster.set_status(name, jobId=job_id, jobDeploymentStatus="Running", jobStatus="RUNNING")
    return name


def _report(world: World, job: str, job_id: str, percent: float) -> None:
    """Let a job write how far it has come."""
    progress = JobProgress(
        job=job_id, steps=("train",), step="train", percent=percent, updated_at=world.now
    )
    JOB_PROGRESS.write(world.storage, layout.job_progress("clinic-r1", job), progress)


def test_a_job_shows_how_far_it_has_come(world: World) -> None:
    world.apply()
    world.reconcile()
    name = _start(world, "clinic-a")
    _report(world, name, "clinic-a", 80)
    progress = world.wait(15).progress
    assert progress
    assert (progress.step, progress.percent) == ("train", 80)


def test_a_job_that_was_made_anew_does_not_show_the_progress_of_the_one_before(
    world: World,
) -> None:
    world.apply()
    world.reconcile()
    name = _start(world, "clinic-a")
    _report(world, name, "clinic-a", 80)
    world.apply(suspend=True)
    world.wait(5)
    world.apply(suspend=False)
    status = world.wait(5)
    assert [job["metadata"]["name"] for job in world.jobs()] == [name]
    assert (status.phase, status.progress) == ("Preparing", None)
    _start(world, "clinic-b")
    assert world.wait(15).progress is None
    _report(world, name, "clinic-b", 1)
    progress = world.wait(15).progress
    assert progress
    assert progress.percent == 1
