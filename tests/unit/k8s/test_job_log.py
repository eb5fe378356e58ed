import time

import pytest

from k8s.observe.job_log import JobLineFilter, LineDeduplicator, LogTail
from nmt.errors import UnreachableError

TRACEBACK = "Traceback (most recent call last):"
SUBMITTED = [
    "2026-11-23 07:08:43,250\tINFO cli.py:42 -- \x1b[37mJob submission server address\x1b[39m: x",
    "2026-11-23 07:08:43,439\tSUCC cli.py:66 -- \x1b[32m------\x1b[39m",
    "2026-11-23 07:08:43,307\tINFO job_manager.py:581 -- Runtime env is setting up.",
    "Running entrypoint for job demo-abc: python -m ray_jobs.supervise",
]
FAILED = [
    "2026-11-23 07:15:24,650\tERR cli.py:74 -- \x1b[31m---------------------\x1b[39m",
    "2026-11-23 07:15:24,651\tERR cli.py:75 -- \x1b[31mJob 'd4-54xll' failed\x1b[39m",
    "2026-11-23 07:15:24,651\tERR cli.py:76 -- \x1b[31m---------------------\x1b[39m",
    "12:00:02 step 2",
]


def stamped(second: float, text: str) -> str:
    return f"2026-01-01T00:00:{second:012.9f}".rstrip("0").rstrip(".") + f"Z {text}"


def passed(lines: LineDeduplicator, pod: str, *stamped_lines: str) -> list[str]:
    lines.connect(pod)
    texts = (lines.text(line) for line in stamped_lines)
    return [text for text in texts if text is not None]


def test_a_new_connection_to_the_same_pod_repeats_no_line():
    lines = LineDeduplicator()
    log = [stamped(1, "a"), stamped(2.1, "b"), stamped(2.12, "c")]
    assert passed(lines, "p", *log[:2]) == ["a", "b"]
    assert passed(lines, "p", *log) == ["c"]


def test_lines_with_equal_timestamps_are_distinguished():
    lines = LineDeduplicator()
    assert passed(lines, "p", stamped(1, "a")) == ["a"]
    assert passed(lines, "p", stamped(1, "a"), stamped(1, "a")) == ["a"]


def test_equal_lines_of_one_connection_are_all_passed():
    assert passed(LineDeduplicator(), "p", stamped(1, "a"), stamped(2, "a")) == ["a", "a"]


def test_lines_out_of_order_are_passed_on_a_first_connection():
    assert passed(LineDeduplicator(), "p", stamped(2, "b"), stamped(1, "a")) == ["b", "a"]


def test_a_new_connection_asks_only_for_newer_lines():
    lines = LineDeduplicator()
    assert lines.connect("p") == ""
    lines.text(stamped(7.5, "a"))
    assert lines.connect("p") == "2026-01-01T00:00:07Z"


def test_a_new_submitter_that_repeats_the_log_continues_where_the_last_one_ended():
    lines = LineDeduplicator()
    passed(lines, "p1", stamped(1, "a"), stamped(2, "b"))
    again = [stamped(5, "a"), stamped(5, "b"), stamped(5, "c"), stamped(6, "a")]
    assert passed(lines, "p2", *again) == ["c", "a"]


def test_the_log_of_a_job_that_started_again_is_passed_completely():
    lines = LineDeduplicator()
    passed(lines, "p1", stamped(1, "a"))
    assert passed(lines, "p2", stamped(5, "begins again"), stamped(6, "a")) == [
        "begins again",
        "a",
    ]


def of_job(*lines: str) -> list[str]:
    job = JobLineFilter()
    return [found for line in lines for found in job.filter(line)]


def test_messages_of_rays_own_command_are_left_out():
    assert of_job(*SUBMITTED, "12:00:01 step 1") == ["12:00:01 step 1"]


def test_the_end_of_the_log_that_ray_repeats_after_a_failure_is_left_out():
    assert of_job("12:00:02 step 2", *FAILED) == ["12:00:02 step 2"]


def test_rays_traceback_about_a_lost_head_is_left_out():
    complaint = [
        TRACEBACK,
        '  File "/opt/venv/bin/ray", line 10, in <module>',
        "RuntimeError: 1006",
    ]
    assert of_job("12:00:02 step 2", *complaint) == ["12:00:02 step 2"]


def test_a_traceback_of_the_job_is_kept():
    own = ["12:00:02 step 2", TRACEBACK, '  File "/code/x.py", line 1, in <module>', "ValueError"]
    assert of_job(*own) == own


@pytest.mark.parametrize(
    "line", ["2026-11-23 07:08:43 INFO cli.py:42 -- mine", "ERR cli.py:75", "Job 'x' failed"]
)
def test_lines_of_the_job_that_look_like_rays_are_kept(line):
    assert of_job(line) == [line]


def submitter(cluster, name: str, *lines: str) -> None:
    cluster.pod(name, {"batch.kubernetes.io/job-name": "demo-train-1"})
    cluster.logs[name] = list(lines)


def test_the_tail_writes_all_lines_before_it_finishes(cluster):
    submitter(cluster, "demo-train-1-aaaaa", stamped(1, "a"), stamped(2, "b"))
    written: list[str] = []
    tail = LogTail(cluster, "demo-train-1", written.append)
    tail.start()
    tail.finish()
    assert written == ["a", "b"]


def test_the_tail_survives_a_cluster_that_does_not_answer(cluster):
    submitter(cluster, "demo-train-1-aaaaa", stamped(1, "a"))
    cluster.fails = [UnreachableError("down")]
    written: list[str] = []
    tail = LogTail(cluster, "demo-train-1", written.append)
    tail.start()
    while cluster.fails:
        time.sleep(0.01)
    tail.finish()
    assert written == ["a"]
