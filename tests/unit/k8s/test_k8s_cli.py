import subprocess
import sys

import pytest

from k8s.cli.main import main
from k8s.cli.options import parse
from nmt.errors import ClusterError, InputError

COMMANDS = (
    *("submit", "logs", "status", "list", "cancel"),
    *("promote", "rollback", "traffic", "doctor"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"nmt-k8s {command}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["submitt"], ["list", "--nope"], ["list", "-o", "xml"]])
def test_an_invalid_command_line_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert "nmt-k8s" in capsys.readouterr().err


def test_common_options_may_be_before_or_after_the_command():
    assert parse(["-n", "a", "list"]).namespace == "a"
    assert parse(["list", "-n", "a"]).namespace == "a"
    assert parse(["-n", "a", "list", "-n", "b"]).namespace == "b"
    assert parse(["list"]).namespace is None


@pytest.mark.parametrize(
    ("error", "code"), [(ClusterError("x"), 3), (InputError("x"), 2)], ids=["cluster", "input"]
)
def test_an_expected_error_prints_one_line_and_sets_the_exit_code(capsys, error, code):
    def refuse(context, namespace):
        raise error

    assert main(["list"], connect=refuse) == code
    assert capsys.readouterr().err == "nmt-k8s: x\n"


def test_a_bug_prints_a_traceback_and_ends_with_1(capsys):
    def break_down(context, namespace):
        raise RuntimeError("broken")

    assert main(["list"], connect=break_down) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_before_the_job_exists_ends_with_130(capsys):
    def interrupt(context, namespace):
        raise KeyboardInterrupt

    assert main(["list"], connect=interrupt) == 130


@pytest.mark.parametrize("command", ["list", "cancel", "traffic"])
def test_unknown_words_are_refused(nmt_k8s, capsys, command):
    assert nmt_k8s(command, "a", "b") == 2
    assert "nmt-k8s: " in capsys.readouterr().err


def test_help_imports_neither_the_client_nor_the_storage():
    code = (
        "import sys\n"
        "from k8s.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'kubernetes', 'torch', 'ray', 'pyarrow', 'numpy', 'pydantic', 'yaml'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_command_imports_torch_or_the_client_before_it_connects():
    heavy = "{'kubernetes', 'torch', 'ray'}"
    code = f"import sys, k8s.cli.actions; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
