"""The commands `promote`, `rollback` and `traffic` in a terminal, on a real storage root."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nmt.storage import Storage
from ray_jobs.cli import main
from tests.support.runs.evaluated_run import export

PAIR = "eng_Latn-tam_Taml"
Command = Callable[..., int]


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """A storage root with the exported runs a and b."""
    storage = Storage(str(tmp_path / "runs"))
    for run in "ab":
        export(storage, run)
    return storage


@pytest.fixture
def nmt(storage: Storage) -> Command:
    return lambda *words: main.main([*words, f"storage={storage.url}"])


def test_traffic_before_any_promotion_says_what_to_run(nmt: Command, capsys):
    assert nmt("traffic") == 2
    assert "run `nmt promote run=…` first" in capsys.readouterr().err


def test_a_promoted_engine_and_its_canary_are_shown(nmt: Command, capsys):
    assert nmt("promote", "run=a") == 0
    assert nmt("promote", "run=b", "--canary", "10") == 0
    capsys.readouterr()
    assert nmt("traffic") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"{PAIR} (default) a b 10 % - -" in shown
    assert "no replica has reported yet" in shown
    assert nmt("traffic", "--json") == 0
    assert json.loads(capsys.readouterr().out)["routes"][PAIR]["canary"] == "b"


def test_a_rollback_of_an_unknown_route_lists_those_that_exist(nmt: Command, capsys):
    nmt("promote", "run=a")
    assert nmt("rollback", "--route", "eng_Latn-tam") == 2
    assert f"which has {PAIR}. Did you mean '{PAIR}'?" in capsys.readouterr().err


def test_a_route_is_removed(nmt: Command, storage: Storage, capsys):
    nmt("promote", "run=a")
    nmt("promote", "run=b", "--domain", "medical")
    assert nmt("traffic", "--remove", PAIR) == 0
    assert f"are translated as {PAIR}/medical" in capsys.readouterr().out
    assert nmt("traffic", "--remove", f"{PAIR}/medical") == 2
    assert "is the only route" in capsys.readouterr().err
    assert list(storage.read_json("serving/default/traffic.json")["routes"]) == [f"{PAIR}/medical"]


def test_showing_traffic_imports_neither_ray_nor_torch():
    code = "import sys, ray_jobs.traffic; print({'ray', 'torch'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"
