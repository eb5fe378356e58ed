"""A base installation: the packages of `dependencies` and what they need, nothing else."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nmt.errors import install_command
from ray_jobs.cli.runner import jobs
from tests.support.project import PROJECT

BASE_MODULES = (
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
    "yaml",
    "_yaml",
)
PROBE = """
import contextlib, io, json, sys
sys.path[:0] = sys.argv[1:3]
from ray_jobs.cli.main import main
ends = {}
for words in json.loads(sys.argv[3]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as left:
            code = left.code or 0
    ends[" ".join(words[:2])] = [code, out.getvalue(), err.getvalue()]
print(json.dumps(ends))
"""
JOB_EXTRAS = {job.name: job.extra for job in jobs().values()} | {
    "quickstart": "all",
    "translate": "serve",
    "score": "train",
}


@pytest.fixture(scope="module")
def base_install(tmp_path_factory) -> dict[str, tuple[int, str, str]]:
    """How each command ends where no extra is installed: code, output, errors."""
    packages = tmp_path_factory.mktemp("base")
    for name in BASE_MODULES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (packages / source.name).symlink_to(source)
    commands = [["--help"], ["config", "show"], ["config", "check"], ["doctor"]]
    commands += [[name, "run=demo", f"storage={packages / 'runs'}"] for name in JOB_EXTRAS]
    printed = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            PROBE,
            str(PROJECT),
            str(packages),
            json.dumps(commands),
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=packages,
    )
    return json.loads(printed.stdout)


@pytest.mark.parametrize("command", ["--help", "config show", "config check"])
def test_settings_and_help_need_no_extra(base_install, command):
    code, output, error = base_install[command]
    assert (code, error) == (0, "")
    assert output


def test_the_doctor_works_without_extras_and_names_them(base_install):
    code, output, error = base_install["doctor"]
    assert code in (0, 1)
    assert "pip install '.[train]' in a checkout" in output
    assert "Traceback" not in error


@pytest.mark.parametrize("name", JOB_EXTRAS)
def test_every_other_command_names_the_extra_it_needs(base_install, name):
    code, _, error = base_install[f"{name} run=demo"]
    assert code == 2
    assert error.startswith("nmt: this command needs the package '")
    assert error.endswith(f"{install_command(JOB_EXTRAS[name])}\n")
