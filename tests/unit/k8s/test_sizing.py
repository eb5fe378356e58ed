import pytest

from k8s.objects.release import Release
from k8s.objects.sizing import WorkerGroup, check_cluster, check_pods, pods_for, worker_groups
from nmt.config import Config, load_config
from nmt.errors import InputError
from tests.unit.k8s.conftest import make_release


def config(*words: str) -> Config:
    return load_config(overrides=words)


WORKERS = ("strategy.type=ddp", "scaling.workers=6")
GPU = (*WORKERS, "scaling.gpus_per_worker=1")


@pytest.mark.parametrize(
    ("step", "words", "group", "pods"),
    [
        ("prepare", (), "cpu", 0),
        ("base", (), "cpu", 1),
        ("evaluate", WORKERS, "cpu", 1),
        ("train", (), "cpu", 1),
        ("train", WORKERS, "cpu", 2),
        ("train", (*WORKERS, "scaling.cpus_per_worker=2"), "cpu", 3),
        ("train", (*WORKERS, "scaling.cpus_per_worker=0.5"), "cpu", 1),
        ("train", GPU, "gpu", 3),
        ("tune", ("tune.max_concurrent=8", "scaling.gpus_per_worker=0.5"), "gpu", 2),
        ("tune", ("tune.max_concurrent=8",), "cpu", 2),
        ("tune", ("tune.max_concurrent=4", "tune.gpus_per_trial=1"), "gpu", 2),
        ("tune", ("tune.max_concurrent=4", "tune.gpus_per_trial=0.5"), "gpu", 1),
        # Two shares of 0.6 do not fit one GPU.
        ("tune", ("tune.max_concurrent=4", "tune.gpus_per_trial=0.6"), "gpu", 2),
        ("tune", ("tune.max_concurrent=2", "tune.workers_per_trial=4"), "cpu", 2),
        ("tune", ("tune.max_concurrent=1", "tune.workers_per_trial=4",
                  "tune.gpus_per_trial=1"), "gpu", 2),
        ("tune", ("tune.max_concurrent=8", "tune.trials=3"), "cpu", 1),
        ("pipeline", ("tune.max_concurrent=8",), "cpu", 2),
        ("pipeline", ("tune.max_concurrent=8", "tune.trials=0"), "cpu", 1),
        ("pipeline", ("serving.min_replicas=3", "serving.max_replicas=3",
                      "serving.cpus_per_replica=4"), "cpu", 3),
    ],
)  # fmt: skip
def test_pods_hold_all_processes_that_run_at_the_same_time(release, step, words, group, pods):
    assert pods_for(release, config(*words), (step,), group) == pods


def test_a_worker_too_big_for_a_pod_is_refused_with_the_groups_that_fit(release):
    with pytest.raises(InputError, match=r"cpus_per_worker=8.*has 4 CPUs.*--workers gpu"):
        pods_for(release, config("scaling.cpus_per_worker=8"), ("train",), "cpu")


def test_a_gpu_worker_on_a_group_without_gpus_is_refused(release):
    with pytest.raises(InputError, match=r"gpus_per_worker=1.*0 GPUs.*--workers gpu"):
        pods_for(release, config("scaling.gpus_per_worker=1"), ("train",), "cpu")


def test_more_pods_than_the_group_may_have_are_refused(release):
    with pytest.raises(InputError, match=r"workers=40.*10 Pods.*may have 4: raise workers.cpu.max"):
        pods_for(release, config("strategy.type=ddp", "scaling.workers=40"), ("train",), "cpu")


def test_an_unknown_group_is_refused_with_the_known_names(release):
    with pytest.raises(InputError, match=r"--workers tpu: .* it has cpu, gpu"):
        pods_for(release, config(), ("train",), "tpu")


def test_fewer_pods_than_needed_are_refused(release):
    with pytest.raises(InputError, match=r"--pods 1: the settings need 2"):
        check_pods(release, "cpu", 1, 2)


def test_more_pods_than_needed_are_allowed(release):
    check_pods(release, "cpu", 4, 2)


def groups_of(release: Release, **max_pods: int) -> list[WorkerGroup]:
    groups = worker_groups(release)
    return [{**groups[name], "maxReplicas": count} for name, count in max_pods.items()]


def test_a_running_cluster_that_can_scale_to_hold_the_job_is_accepted(release):
    check_cluster(groups_of(release, cpu=1, gpu=1), config(*WORKERS), ("train",), "shared")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (GPU, "workers=6 with .*gpus_per_worker=1 .* 1 of 'gpu' with 16 CPUs and 2 GPUs each"),
        (("scaling.cpus_per_worker=20",), "cpus_per_worker=20.*leave out --to"),
    ],
    ids=["too-many", "too-big"],
)
def test_a_running_cluster_that_can_never_hold_the_job_is_refused(release, words, message):
    groups = groups_of(release, cpu=1, gpu=1)
    with pytest.raises(InputError, match=f"--to shared: .*{message}"):
        check_cluster(groups, config(*words), ("train",), "shared")


def test_a_release_without_limits_allows_any_number_of_pods():
    release = make_release(maxPods={})
    assert (
        pods_for(release, config("strategy.type=ddp", "scaling.workers=40"), ("train",), "cpu")
        == 10
    )


def test_trials_that_do_not_fit_are_named_with_their_own_settings(release):
    words = ("tune.max_concurrent=20", "tune.workers_per_trial=2", "scaling.cpus_per_worker=2")
    said = r"tune.max_concurrent \* tune.workers_per_trial=16 with .*may have"
    with pytest.raises(InputError, match=said):
        pods_for(release, config(*words, "tune.trials=8"), ("tune",), "cpu")
