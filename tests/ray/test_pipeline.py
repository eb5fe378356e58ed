from nmt.config import Config
from nmt.steps import STEPS
from nmt.storage import Storage
from ray_jobs.pipeline import REPORT, SUMMARY, _discard
from ray_jobs.session import Session


def test_a_restart_discards_what_a_run_has_made_and_keeps_its_logs(tmp_path):
    storage = Storage(str(tmp_path))
    made = [*(f"{step.path('demo')}/step.json" for step in STEPS.values()), f"demo/{SUMMARY}"]
    for path in (*made, f"demo/{REPORT}", "demo/logs/a.log", "other/train/step.json"):
        storage.write_bytes(path, b"{}")
    _discard(Session(Config(run="demo"), storage, restart=True))
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert left == ["demo/logs/a.log", "other/train/step.json"]
