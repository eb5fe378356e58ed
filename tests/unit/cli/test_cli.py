import json
import os
import re
import signal
import subprocess
import sys
import time
import types

import pytest
import yaml

from nmt.cli.console import is_override
from nmt.cli.traffic_options import PromotionOptions
from nmt.config import Config, load_config
from nmt.errors import InputError, StorageError
from ray_jobs.cli import main
from ray_jobs.cli.runner import guarded, jobs
from tests.support.project import PROJECT
from tests.support.untouched_process import untouched  # noqa: F401 - a fixture of every test

COMMANDS = [
    *jobs(),
    *("config", "quickstart", "doctor", "plan", "translate", "score", "keys", "traffic"),
]


def code_of(*words: str) -> int:
    """Exit code of `nmt` with these words."""
    try:
        return main.main(words)
    except SystemExit as left:
        return int(left.code or 0)


def raising(error: BaseException):
    def action() -> None:
        raise error

    return action


# Help and settings


def test_help_lists_every_command(capsys):
    assert code_of("--help") == 0
    printed = capsys.readouterr().out.partition("COMMAND\n")[2].partition("examples:")[0]
    for name in [
        *jobs(),
        "config",
        "quickstart",
        "doctor",
        "plan",
        "translate",
        "score",
        "traffic",
    ]:
        assert re.search(rf"^ +{name}\b", printed, re.MULTILINE), name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(capsys, name):
    assert code_of(name, "--help") == 0
    assert "--config FILE" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [[], ["no-such-command"], ["config"], ["prepare", "--no-such-option"]]
)
def test_a_command_line_that_makes_no_sense_is_2(words):
    assert code_of(*words) == 2


def test_config_show_prints_yaml_that_loads_as_the_same_settings(capsys):
    assert code_of("config", "show", "run=other", "adapter.type=qlora") == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert Config.parse(shown) == load_config(overrides=["run=other", "adapter.type=qlora"])


def test_config_check_counts_what_was_given(capsys):
    assert code_of("config", "check", "run=other", "adapter.rank=8") == 0
    assert capsys.readouterr().out == "2 settings given, all of them valid\n"


def test_config_schema_is_json(capsys):
    assert code_of("config", "schema") == 0
    assert "training" in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize("what", ["show", "check"])
def test_a_wrong_key_is_2_and_one_line(capsys, what):
    assert code_of("config", what, "traning.max_steps=1") == 2
    error = capsys.readouterr().err
    assert error.startswith("nmt: traning: unknown key")
    assert error.count("\n") == 1


def test_a_missing_config_file_is_2_and_named(capsys, tmp_path):
    assert code_of("prepare", "--config", str(tmp_path / "gone.yaml")) == 2
    assert capsys.readouterr().err == f"nmt: --config {tmp_path}/gone.yaml: no such file\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "FILE", "run=word", "seed=4"],
        ["run=word", "--config", "FILE", "seed=4"],
        ["run=word", "seed=4", "--config", "FILE"],
        ["run=word", "--restart", "seed=4", "--config=FILE"],
    ],
    ids=["first", "between", "last", "with-restart"],
)
def test_options_may_stand_anywhere_among_the_settings(capsys, tmp_path, words):
    file = tmp_path / "settings.yaml"
    file.write_text("seed: 3\ntraining: {max_steps: 77}")
    assert code_of("config", "show", *[word.replace("FILE", str(file)) for word in words]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert (shown["run"], shown["seed"], shown["training"]["max_steps"]) == ("word", 4, 77)


def test_later_config_files_win(capsys, tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / name).write_text(f"seed: {seed}")
    assert code_of("config", "show", *(f"--config={tmp_path / name}" for name in "ab")) == 0
    assert yaml.safe_load(capsys.readouterr().out)["seed"] == 2


def test_the_quickstart_file_is_found_and_valid():
    assert load_config([main.quickstart_file()]).run == "quickstart"


def test_the_quickstart_is_a_pipeline_whose_settings_the_user_may_change(monkeypatch):
    seen = []
    monkeypatch.setattr(main, "run_job", lambda job, options: seen.append((job.name, options)))
    assert code_of("quickstart", "run=mine") == 0
    ((name, options),) = seen
    assert name == "pipeline"
    assert load_config(options.config, options.overrides).run == "mine"


@pytest.mark.parametrize(
    ("word", "is_setting"),
    [
        ("run=demo", True),
        ("training.max_steps=1", True),
        ("Good morning.", False),
        ("So 1 + 1 = 2", False),
        ("", False),
    ],
)
def test_text_and_settings_are_told_apart(word, is_setting):
    assert is_override(word) is is_setting


# Steps that are missing


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("base", "prepare"),
        ("tune", "prepare"),
        ("train", "prepare"),
        ("evaluate", "export"),
        ("export", "train"),
        ("promote", "export"),
    ],
)
def test_a_command_whose_earlier_step_is_missing_is_2_before_ray_is_loaded(
    capsys, tmp_path, monkeypatch, command, needed
):
    monkeypatch.setitem(sys.modules, f"ray_jobs.{command}", None)  # importing it would fail
    assert code_of(command, "run=nothing", f"storage={tmp_path}") == 2
    assert f"run `nmt {needed} run=nothing` first" in capsys.readouterr().err


def test_a_command_runs_with_its_settings_storage_and_restart(tmp_path, monkeypatch):
    seen = []
    job = types.SimpleNamespace(run=seen.append)
    monkeypatch.setitem(sys.modules, "ray_jobs.prepare", job)
    assert code_of("prepare", "run=other", f"storage={tmp_path}", "--restart") == 0
    (session,) = seen
    assert (session.config.run, session.storage.locate("")) == ("other", str(tmp_path))
    assert session.restart


def test_a_promotion_gets_its_options(tmp_path, monkeypatch):
    seen = []
    job = types.SimpleNamespace(run=lambda session, options: seen.append(options))
    monkeypatch.setitem(sys.modules, "ray_jobs.promote", job)
    monkeypatch.setattr("nmt.runs.records.require", lambda *given: None)
    assert code_of("promote", f"storage={tmp_path}", "--force", "no other engine") == 0
    words = ("--canary", "10", "--domain", "medical")
    assert code_of("promote", f"storage={tmp_path}", *words) == 0
    assert code_of("promote", f"storage={tmp_path}", "--shadow") == 0
    assert seen == [
        PromotionOptions(force="no other engine"),
        PromotionOptions(canary=10, domain="medical"),
        PromotionOptions(shadow=True),
    ]


def test_an_engine_is_not_canary_and_shadow_at_once(capsys):
    assert code_of("promote", "--canary", "10", "--shadow") == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_a_rollback_gets_its_route(tmp_path, monkeypatch):
    seen = []
    job = types.SimpleNamespace(run=lambda session, route: seen.append(route))
    monkeypatch.setitem(sys.modules, "ray_jobs.rollback", job)
    assert code_of("rollback", f"storage={tmp_path}", "--route", "eng_Latn-tam_Taml") == 0
    assert code_of("rollback", f"storage={tmp_path}") == 0
    assert seen == ["eng_Latn-tam_Taml", None]


@pytest.mark.parametrize("command", ["serve", "rollback", "export", "pipeline", "quickstart"])
def test_no_other_command_takes_a_reason(capsys, tmp_path, command):
    assert code_of(command, f"storage={tmp_path}", "--force", "no other engine") == 2
    assert "unrecognized arguments: --force" in capsys.readouterr().err


def test_rollback_without_promotion_is_2(capsys, tmp_path):
    assert code_of("rollback", f"storage={tmp_path}") == 2
    assert "nmt promote" in capsys.readouterr().err


def test_translate_without_an_engine_is_2(capsys, tmp_path):
    assert code_of("translate", "Good morning.", f"storage={tmp_path}") == 2
    assert "no engine to translate with" in capsys.readouterr().err


# How an action ends


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("wrong"), 2, "nmt: wrong\n"),
        (StorageError("away"), 1, "nmt: away\n"),
        (KeyboardInterrupt(), 130, "nmt: interrupted: run the same command again to resume\n"),
    ],
    ids=["input", "other", "interrupt"],
)
def test_an_expected_end_is_a_code_and_one_line(capsys, error, code, message):
    assert guarded(raising(error), extra="train") == code
    assert capsys.readouterr().err == message


def test_a_good_end_is_0_and_silent(capsys):
    assert guarded(lambda: None, extra="train") == 0
    assert capsys.readouterr() == ("", "")


def test_sigterm_is_143(capsys):
    def action() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    assert guarded(action, extra="train") == 143
    assert capsys.readouterr().err.startswith("nmt: terminated")


def test_a_second_sigterm_does_not_break_off_the_clean_up():
    cleaned = []

    def action() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned.append(True)

    assert (guarded(action, extra="train"), cleaned) == (143, [True])


def test_an_unexpected_error_is_1_with_a_traceback(capsys):
    assert guarded(raising(ZeroDivisionError("bug")), extra="train") == 1
    error = capsys.readouterr().err
    assert error.startswith("Traceback")
    assert "ZeroDivisionError: bug" in error


def test_a_missing_package_is_2_and_names_package_and_extra(capsys):
    missing = ModuleNotFoundError("No module named 'torch'", name="torch.nn")
    assert guarded(raising(missing), extra="serve") == 2
    assert capsys.readouterr().err == (
        "nmt: this command needs the package 'torch': "
        "pip install '.[serve]' in a checkout of this project\n"
    )


def test_a_missing_module_of_our_own_is_a_fault_with_a_traceback(capsys):
    missing = ModuleNotFoundError("No module named 'nmt.gone'", name="nmt.gone")
    assert guarded(raising(missing), extra="serve") == 1
    assert "Traceback" in capsys.readouterr().err


def end_without_reader(program: str) -> tuple[int, bytes]:
    """Exit code and errors of a program that writes into a pipe nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=PROJECT,
        env=environ,
    )
    os.close(writer)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    "code",
    [
        "sys.exit(main(['config', 'check']))",
        "sys.exit(main(['config', 'schema']))",
        "sys.exit(guarded(lambda: logging.getLogger('nmt').info('line'), extra='train'))",
    ],
    ids=["short", "long", "log"],
)
def test_a_reader_that_has_gone_is_no_error(code):
    imports = "import logging, sys\nfrom ray_jobs.cli.main import guarded, main\n"
    assert end_without_reader(imports + code) == (0, b"")


def test_the_error_of_a_command_whose_reader_has_gone_is_still_said():
    program = (
        "import sys; from nmt.errors import InputError; from ray_jobs.cli.runner import guarded\n"
        "def action():\n"
        "    print('line'); raise InputError('wrong')\n"
        "sys.exit(guarded(action, extra='train'))"
    )
    assert end_without_reader(program) == (2, b"nmt: wrong\n")
