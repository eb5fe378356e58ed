import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from k8s.api.cluster import BATCH_JOB
from k8s.cli.storage_commands import StorageCommand
from nmt.cli.traffic_options import PromotionOptions
from nmt.runs.steps import GATE, STEPS
from nmt.storage import Storage
from tests.support.runs.evaluated_run import leave_engine, with_engine
from tests.support.runs.summaries import BETTER, WORSE, evaluation, trial
from tests.unit.k8s.conftest import install

PAIR = "eng_Latn-tam_Taml"
DONE = {
    "prepare": {"sizes": {"train": 90, "test": 5}},
    "base": {"license": "mit"},
    "tune": {"best": trial(8, 20.5) | {"checkpoints": "c"}, "trials": [trial(8, 20.5)] * 2},
    "train": {
        "trained_parameters": 50,
        "left_out": 0,
        "steps": 400,
        "base_bleu": 9.5,
        "best_bleu": 21.5,
        "best_step": 300,
    },
    "evaluate": with_engine(evaluation(10.25, 22.75, compared=BETTER)).model_dump(mode="json"),
}
WORSE_RESULT = with_engine(evaluation(22.75, 10.25, compared=WORSE)).model_dump(mode="json")


@pytest.fixture
def root(tmp_path) -> Storage:
    """A storage root with a finished run `night` and an engine of each of two runs."""
    storage = Storage(str(tmp_path / "root"))
    for name, step in STEPS.items():
        # Without a decision of a gate, the engine is compared with its base.
        if step is not GATE:
            record(storage, "night", name, step.folder, "engine-b")
    record(storage, "early", "export", "export", "engine-a")
    for digest in ("engine-a", "engine-b"):
        leave_engine(storage, digest)
    return storage


def record(
    storage: Storage, run: str, step: str, folder: str, digest: str, result: object = None
) -> None:
    # An evaluation is of the run's own engine.
    inputs = {"export": digest} if step == "evaluate" else {}
    fields = {"step": step, "done": True, "settings": {}, "inputs": inputs, "output": digest}
    found = DONE.get(step, {}) if result is None else result
    storage.write_json(f"{run}/{folder}/step.json", {**fields, "seconds": 61.0, "result": found})


def route(root: Storage, endpoint: str = "default") -> dict[str, Any]:
    """Read the only route of an endpoint."""
    (found,) = root.read_json(f"serving/{endpoint}/traffic.json")["routes"].values()
    return found


def stable(root: Storage) -> str:
    return route(root)["stable"]


@pytest.fixture
def on_root(nmt_k8s, root):
    """Run a command on that root, as a Pod with the storage mounted does."""
    return lambda *words: nmt_k8s(*words, "--storage", root.url)


def test_promotion_lets_the_endpoint_serve_the_runs_engine(on_root, root, capsys):
    assert on_root("promote", "run=night") == 0
    assert stable(root) == "engine-b"
    assert "endpoint 'default' serves engine engine-b of run night" in capsys.readouterr().out


def spoil(root: Storage) -> None:
    """Let the evaluation of `night` report that its engine is worse than its base."""
    place = "night/evaluation/step.json"
    root.write_json(place, root.read_json(place) | {"result": WORSE_RESULT})


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_an_engine_that_is_worse_than_its_base_is_not_promoted(on_root, root, capsys, option):
    spoil(root)
    assert on_root("promote", "run=night", *option) == 2
    said = capsys.readouterr().err
    assert "worse than its base" in said
    assert "BLEU 22.75 -> 10.25" in said
    assert not root.exists("serving/default/traffic.json")


def test_a_reason_promotes_it_and_is_shown_with_the_traffic(on_root, root, capsys):
    spoil(root)
    assert on_root("promote", "run=night", "--force", "the base may not be used") == 0
    assert "the base may not be used" in capsys.readouterr().out
    assert on_root("traffic") == 0
    said = capsys.readouterr().out
    assert "engine engine-b is worse than its base, and was promoted because: the base may" in said
    on_root("traffic", "-o", "json")
    (shown,) = json.loads(capsys.readouterr().out)["routes"].values()
    assert shown["forced"] == {"engine-b": "the base may not be used"}


def test_a_promotion_of_an_unevaluated_engine_is_reported(on_root, capsys):
    assert on_root("promote", "run=early") == 0
    assert "run 'early' is not evaluated" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["rollback", "traffic", "status", "list", "doctor"])
def test_only_promote_accepts_a_reason(on_root, capsys, command):
    with pytest.raises(SystemExit) as ended:
        on_root(command, "--force", "a reason")
    assert ended.value.code == 2
    assert "unrecognized arguments: --force" in capsys.readouterr().err


def test_an_empty_reason_is_refused_before_a_pod_is_started(nmt_k8s, cluster, capsys):
    assert nmt_k8s("promote", "run=night", "--force", " ") == 2
    assert "--force needs a reason" in capsys.readouterr().err
    assert cluster.names(BATCH_JOB) == []


def test_rollback_returns_to_the_previous_engine(on_root, root):
    on_root("promote", "run=early")
    on_root("promote", "run=night")
    assert on_root("rollback") == 0
    assert stable(root) == "engine-a"


def test_each_endpoint_has_its_own_pointer(on_root, root):
    on_root("promote", "run=night", "serving.name=tamil")
    assert root.exists("serving/tamil/traffic.json")
    assert not root.exists("serving/default/traffic.json")


def test_promotion_needs_a_run(on_root, capsys):
    assert on_root("promote") == 2
    assert "give run=NAME" in capsys.readouterr().err


def test_a_run_without_an_engine_is_not_promoted(on_root, capsys):
    assert on_root("promote", "run=nothing") == 2
    assert "no step 'export'" in capsys.readouterr().err


def test_the_first_engine_cannot_be_rolled_back(on_root):
    on_root("promote", "run=night")
    assert on_root("rollback") == 2


def test_a_dry_run_of_a_promotion_prints_the_engine_and_writes_nothing(on_root, root, capsys):
    assert on_root("promote", "run=night", "--dry-run") == 0
    assert "would serve engine engine-b" in capsys.readouterr().out
    assert not root.exists("serving/default/traffic.json")


def test_a_dry_run_of_a_rollback_writes_nothing(on_root, root, capsys):
    on_root("promote", "run=early")
    on_root("promote", "run=night")
    assert on_root("rollback", "--dry-run") == 0
    assert "would be back on engine engine-a" in capsys.readouterr().out
    assert stable(root) == "engine-b"


def test_a_dry_run_is_refused_like_the_command_itself(on_root):
    assert on_root("promote", "run=nothing", "--dry-run") == 2


def test_a_dry_run_creates_no_folder(nmt_k8s, tmp_path, capsys):
    assert nmt_k8s("promote", "run=a", "--storage", str(tmp_path / "new"), "--dry-run") == 2
    assert "no such folder" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("words", [("status", "run=a"), ("traffic",), ("logs", "job")])
def test_reading_creates_no_folder(nmt_k8s, tmp_path, capsys, words):
    assert nmt_k8s(*words, "--storage", str(tmp_path / "new")) == 2
    assert "no such folder" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_traffic_shows_the_engine_and_problem_of_each_replica(on_root, root, capsys):
    on_root("promote", "run=night")
    capsys.readouterr()
    fields = {"host": "a", "digest": "engine-a", "wanted": "engine-b", "since": "10:00"}
    folder = "serving/default/replicas"
    root.write_json(f"{folder}/one.json", {"replica": "one", **fields, "error": "is damaged"})
    root.write_json(f"{folder}/two.json", {"replica": "two", **fields, "error": None})
    assert on_root("traffic") == 0
    shown = capsys.readouterr().out
    assert "serves engine engine-b" in shown
    assert "is damaged" in shown
    assert "still loading engine-b" in shown


def test_traffic_marks_silent_replicas(on_root, root, capsys):
    on_root("promote", "run=night")
    capsys.readouterr()
    now = datetime.now(UTC)
    for name, age in (("gone", timedelta(hours=3)), ("alive", timedelta(seconds=20))):
        seen = (now - age).isoformat(timespec="seconds")
        fields = {"replica": name, "host": "a", "digest": "engine-b", "wanted": "engine-b"}
        root.write_json(f"serving/default/replicas/{name}.json", {**fields, "seen": seen})
    assert on_root("traffic") == 0
    alive, gone = capsys.readouterr().out.splitlines()[-2:]
    assert "silent for 3 h 00 min" in gone
    assert "s ago" in alive
    assert "silent" not in alive
    assert on_root("traffic", "--output", "json") == 0
    shown = json.loads(capsys.readouterr().out)["replicas"]
    assert {each["replica"]: each["silent"] for each in shown} == {"alive": False, "gone": True}


def test_traffic_before_the_first_promotion_is_refused_with_advice(on_root, capsys):
    assert on_root("traffic") == 2
    assert "nmt-k8s promote run=" in capsys.readouterr().err


@pytest.mark.parametrize(
    "result", [{}, {"sizes": None}, {"sizes": 5, "best": [], "best_bleu": "much", "base": {}}]
)
def test_the_status_of_a_run_survives_results_of_another_release(on_root, root, capsys, result):
    for name, step in STEPS.items():
        record(root, "night", name, step.folder, "engine-b", result)
    assert on_root("status", "run=night") == 0
    shown = capsys.readouterr().out
    assert shown.count("this nmt-k8s cannot read its result") == 6
    assert "engine engine-b" in shown


def test_the_status_of_a_run_shows_the_main_result_of_each_step(on_root, capsys):
    assert on_root("status", "run=night") == 0
    shown = capsys.readouterr().out
    for text in ("train 90, test 5", "best BLEU 20.50 of 2 trials", "BLEU 9.50 -> 21.50",
                 "step 300", "BLEU 10.25 -> 22.75", "engine engine-b", "61 s"):  # fmt: skip
        assert text in shown


def test_unfinished_and_missing_steps_are_shown(on_root, root, capsys):
    fields = {"step": "prepare", "done": False, "settings": {}, "inputs": {}}
    root.write_json("half/data/step.json", fields)
    assert on_root("status", "run=half") == 0
    lines = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert ["prepare", "unfinished"] in lines
    assert ["train", "-"] in lines


def test_an_unknown_run_is_refused_with_the_known_names(on_root, capsys):
    assert on_root("status", "run=nigth") == 2
    assert "runs there: night" in capsys.readouterr().err


def test_a_log_is_found_without_the_name_of_its_run(on_root, root, capsys):
    root.write_bytes("night/logs/night-train-1.log", b"step 1\nstep 2\n")
    assert on_root("logs", "night-train-1", "--tail", "1") == 0
    assert capsys.readouterr().out == "step 2\n"


def test_a_missing_log_is_refused(on_root, capsys):
    assert on_root("logs", "nothing") == 2
    assert "no log on the storage root" in capsys.readouterr().err


def test_a_program_gets_the_pointer_as_json(on_root, capsys):
    on_root("promote", "run=night", "-o", "json")
    (shown,) = json.loads(capsys.readouterr().out)["routes"].values()
    assert shown["stable"] == "engine-b"


def test_a_command_can_parse_the_arguments_that_it_passes_on(on_root, root):
    spoil(root)
    options = PromotionOptions(force="-5 BLEU are enough")
    command = StorageCommand("promote", run="night", endpoint="tamil", promotion=options)
    assert on_root(*command.arguments(root.url, "text")[:-2]) == 0
    assert route(root, "tamil")["forced"] == {"engine-b": "-5 BLEU are enough"}


def test_a_canary_is_started_moved_and_ended(on_root, root, capsys):
    on_root("promote", "run=early")
    assert on_root("promote", "run=night", "--canary", "5") == 0
    assert on_root("promote", "run=night", "--canary", "50") == 0
    assert "lets engine engine-b of run night answer 50 % of" in capsys.readouterr().out
    assert (route(root)["canary"], route(root)["percent"], route(root)["step"]) == (
        "engine-b",
        50,
        1,
    )
    assert on_root("rollback") == 0
    assert "has ended canary engine-b" in capsys.readouterr().out
    assert (route(root)["stable"], route(root)["canary"]) == ("engine-a", None)


def test_a_route_is_removed(on_root, root, capsys):
    on_root("promote", "run=early")
    on_root("promote", "run=night", "--domain", "medical")
    capsys.readouterr()
    assert on_root("traffic", "--remove", f"{PAIR}/medical", "--dry-run") == 0
    assert len(root.read_json("serving/default/traffic.json")["routes"]) == 2
    assert on_root("traffic", "--remove", f"{PAIR}/medical") == 0
    assert f"no longer serves {PAIR}/medical" in capsys.readouterr().out
    assert list(root.read_json("serving/default/traffic.json")["routes"]) == [PAIR]


def test_a_bucket_with_local_keys_needs_no_pod(nmt_k8s, cluster, s3_url, monkeypatch, capsys):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    install(cluster, storage=s3_url)
    storage = Storage(s3_url.replace("?", "/runs?"))
    record(storage, "night", "export", "export", "engine-b")
    leave_engine(storage, "engine-b")
    assert nmt_k8s("promote", "run=night") == 0
    assert stable(storage) == "engine-b"


def test_a_mounted_root_needs_no_pod(nmt_k8s, cluster, root, monkeypatch):
    monkeypatch.setenv("NMT_STORAGE", root.url)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    install(cluster, storage=root.url, config={"storage": "."})
    assert nmt_k8s("promote", "run=night") == 0
    assert root.exists("serving/default/traffic.json")
