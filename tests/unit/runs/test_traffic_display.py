"""What `traffic` shows: routes, replicas, and the counts of a rollout."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from nmt.traffic import EngineReport, PairCounts, ReplicaReport, Route, RouteReport, Traffic
from nmt.traffic.display import traffic_text, traffic_value

TAMIL, HINDI = "eng_Latn-tam_Taml", "eng_Latn-hin_Deva"
NOW = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)
CANARY = Route(
    stable="b", canary="c", percent=10, rollout="r1", step=1, previous=("a",), forced={"c": "test"}
)
TRAFFIC = Traffic(default=TAMIL, routes={TAMIL: CANARY, HINDI: Route(stable="h")})


def counts(step: int = 1, rollout: str = "r1", **numbers: int) -> PairCounts:
    return PairCounts(
        rollout=rollout,
        step=step,
        signal="broken",
        route=TAMIL,
        stable="b",
        other="c",
        **numbers,
    )


def replica(name: str = "one", **fields: object) -> ReplicaReport:
    content = {"replica": name, "digest": "b", "wanted": "b", "seen": NOW - timedelta(seconds=30)}
    return ReplicaReport.model_validate(content | fields)


def shown(*reports: ReplicaReport, traffic: Traffic = TRAFFIC) -> list[str]:
    """Words of each line that is not empty."""
    text = traffic_text("default", traffic, reports, NOW)
    return [" ".join(line.split()) for line in text.splitlines() if line]


def test_each_route_is_a_row_and_the_default_one_is_marked():
    lines = shown()
    assert lines[0] == "endpoint 'default' serves engine b"
    assert lines[1:4] == [
        "ROUTE STABLE CANARY SHADOW PREVIOUS",
        f"{TAMIL} (default) b c 10 % - a",
        f"{HINDI} h - - -",
    ]


def test_a_forced_engine_an_owner_and_missing_replicas_are_told():
    lines = shown(traffic=TRAFFIC.model_copy(update={"owner": "campaign-7"}))
    assert "only 'campaign-7' may change its traffic" in lines
    assert "engine c is worse than its base, and was promoted because: test" in lines
    assert "no replica has reported yet" in lines


def test_of_many_earlier_engines_the_latest_are_named():
    route = Route(stable="z", previous=tuple("abcde"))
    traffic = Traffic(default=TAMIL, routes={TAMIL: route})
    assert shown(traffic=traffic)[2] == f"{TAMIL} (default) z - - a, b, c, and 2 more"


def test_a_replica_is_shown_with_its_engines_and_their_memory():
    engine = EngineReport(memory_bytes=300 * 2**20)
    report = replica(since="10:00", engines={"h": engine, "b": engine})
    assert "one b, h 600 MiB 10:00 30 s ago" in shown(report)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"error": "is damaged"}, "is damaged"),
        ({"wanted": "c"}, "still loading c"),
        ({"routes": {HINDI: RouteReport(error="h: no card")}}, f"{HINDI}: h: no card"),
        ({"routes": {TAMIL: RouteReport(wanted_canary="c")}}, "still loading c"),
        ({"seen": NOW - timedelta(hours=3)}, "silent for 3 h 00 min: gone, or loading an engine"),
    ],
)
def test_the_problem_of_a_replica_is_shown(fields, problem):
    assert any(line.endswith(problem) for line in shown(replica(**fields)))


def test_the_counts_of_a_running_rollout_are_added_by_step_and_signal():
    ended = replica("two", ended=True, counts=(counts(plus=1, zero=9), counts(step=0, zero=5)))
    lines = shown(replica(counts=(counts(plus=2, minus=1, zero=7, events_canary=4),)), ended)
    assert lines[-4:] == [
        f"canary c of {TAMIL}, which answers 10 % of the clients; both engines "
        "translate 5 % of the sessions; rollout r1",
        "SIGNAL STEP PAIRS CANARY ONLY STABLE ONLY SAME CANARY EVENTS STABLE EVENTS",
        "broken 0 5 0 0 5 0 0",
        "broken 1 20 3 1 16 4 0",
    ]
    assert not any(line.startswith("two ") for line in lines)


def test_a_rollout_that_nothing_was_counted_of_says_so():
    assert shown(replica(counts=(counts(rollout="r0", plus=5),)))[-1] == (
        "no replica has counted anything of it yet"
    )


def test_programs_get_the_file_the_replicas_and_the_counts_of_running_rollouts():
    report = replica(counts=(counts(plus=2), counts(rollout="r0", plus=5)))
    value = json.loads(json.dumps(traffic_value("default", TRAFFIC, [report], NOW)))
    assert (value["name"], value["default"], value["routes"][HINDI]["stable"]) == (
        "default",
        TAMIL,
        "h",
    )
    assert [each["plus"] for each in value["counts"]] == [2]
    assert value["replicas"][0]["silent"] is False
