"""The GitHub workflows and the pre-commit hooks: they parse, and call only what exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT, load_script

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"actions/[\w-]+@[0-9a-f]{40}")
LOCAL = "./.github/workflows/"

Workflow = dict[str, Any]


def read(path: Path) -> Workflow:
    # BaseLoader keeps the key `on` a string; YAML 1.1 reads it as true.
    return yaml.load(path.read_text("utf-8"), yaml.BaseLoader)


def steps(workflow: Workflow) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", [])


def commands(workflow: Workflow) -> Iterator[list[str]]:
    for step in steps(workflow):
        for line in step.get("run", "").splitlines():
            yield shlex.split(line)


def missing(command: list[str]) -> str:
    """Return what a command needs and the repository does not have."""
    match command:
        case ["make", target]:
            makefile = (PROJECT / "Makefile").read_text("utf-8")
            return "" if re.search(rf"^{re.escape(target)}:", makefile, re.M) else target
        case ["python", script, *_] if not script.startswith("-"):
            return "" if (PROJECT / script).is_file() else script
        case ["docker", "build", "-f", file, *_]:
            return "" if (PROJECT / file).is_file() else file
        case ["helm", "package", folder, *_]:
            return "" if (PROJECT / folder / "Chart.yaml").is_file() else folder
    return ""


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request) -> Workflow:
    return read(request.param)


def test_there_is_a_workflow_for_changes_and_one_for_releases():
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]


def test_every_target_script_and_folder_that_a_workflow_uses_exists(workflow):
    assert [missing(command) for command in commands(workflow) if missing(command)] == []


@pytest.mark.parametrize(
    "line", ["make tea", "python docs/none.py", "docker build -f none .", "helm package none"]
)
def test_a_missing_target_script_or_folder_is_found(line):
    assert missing(line.split())


def test_every_action_is_pinned_to_a_commit(workflow):
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert [name for name in used if not PINNED.fullmatch(name)] == []


def test_every_workflow_that_another_one_calls_can_be_called(workflow):
    for job in workflow["jobs"].values():
        if "uses" in job:
            assert job["uses"].startswith(LOCAL)
            assert "workflow_call" in read(PROJECT / job["uses"])["on"]


def test_a_workflow_can_only_read_unless_a_job_asks_for_more(workflow):
    assert workflow["permissions"] == {"contents": "read"}


def test_only_the_jobs_that_publish_can_write():
    writing = {
        (path.name, name)
        for path in WORKFLOWS
        for name, job in read(path)["jobs"].items()
        if "write" in job.get("permissions", {}).values()
    }
    assert writing == {("release.yml", "images"), ("release.yml", "release")}


def test_no_expression_is_pasted_into_a_shell_script(workflow):
    # A branch name or a tag could hold a command; values reach scripts as variables.
    assert not any("${{" in step.get("run", "") for step in steps(workflow))


def test_every_job_needs_jobs_that_exist_and_ends_in_time(workflow):
    jobs = workflow["jobs"]
    for job in jobs.values():
        needed = job.get("needs", [])
        assert {needed} <= jobs.keys() if isinstance(needed, str) else set(needed) <= jobs.keys()
        assert "uses" in job or int(job["timeout-minutes"]) <= 60


def test_changes_run_lint_unit_and_chart_tests_on_every_supported_python():
    ci = read(PROJECT / ".github" / "workflows" / "ci.yml")
    targets = ["make lint", "make unit", "make chart-tools", "make chart"]
    # Its tool comes with those of the chart.
    bill_of_materials = ".venv/bin/pytest tests/unit/project/test_sbom.py"
    assert [" ".join(words) for words in commands(ci)] == [*targets, bill_of_materials]
    assert ci["jobs"]["unit"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


def test_a_release_builds_the_images_of_the_dockerfile():
    release = read(PROJECT / ".github" / "workflows" / "release.yml")
    targets = re.findall(r" AS (\w+)$", (PROJECT / "docker/Dockerfile").read_text("utf-8"), re.M)
    assert release["jobs"]["images"]["strategy"]["matrix"]["target"] == targets[1:]


def test_a_release_publishes_the_bill_of_materials_of_each_image():
    release = read(PROJECT / ".github" / "workflows" / "release.yml")
    images, last = release["jobs"]["images"]["steps"], release["jobs"]["release"]["steps"]
    (build,) = [step["run"] for step in images if "docker build" in step.get("run", "")]
    assert "/opt/nmt/sbom.cdx.json" in build
    (kept,) = [step["with"] for step in images if "upload-artifact" in step.get("uses", "")]
    (fetched,) = [step["with"] for step in last if "download-artifact" in step.get("uses", "")]
    assert kept["path"] == "nmt-*.cdx.json"
    assert kept["name"].startswith(fetched["pattern"].removesuffix("*"))
    # Before `gh release create TAG dist/*`.
    order = [step.get("uses", step.get("run", "")) for step in last]
    fetch = next(at for at, text in enumerate(order) if "download-artifact" in text)
    create = next(at for at, text in enumerate(order) if "gh release create" in text)
    assert fetch < create
    assert f"{fetched['path']}/*" in order[create]


def test_the_hooks_of_pre_commit_run_what_exists():
    (local,) = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert local["repo"] == "local"
    for hook in local["hooks"]:
        program, *words = hook["entry"].split()
        assert program.startswith(".venv/bin/")
        assert all((PROJECT / word).is_file() for word in words if word.endswith(".py"))
        assert all(re.compile(hook[key]) for key in ("files",) if key in hook)


# The check of a tag


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    return load_script(PROJECT / ".github" / "check_release.py")


@pytest.fixture
def project(tmp_path) -> Path:
    """A project at version 1.2.3 whose changelog is ready for its release."""
    files = {
        "pyproject.toml": '[project]\nversion = "1.2.3"\n',
        "nmt/__init__.py": '__version__ = "1.2.3"\n',
        "CITATION.cff": "version: 1.2.3\n",
        "helm/nmt/Chart.yaml": 'version: 1.2.3\nappVersion: "1.2.3"\n',
        "CHANGELOG.md": "# Changes\n\n## 1.2.3 (2026-01-31)\n\n* New.\n\n## 1.2.2\n\n* Old.\n",
        "helm/nmt/CHANGELOG.md": "# Chart\n\n## 1.2.3 (2026-01-31)\n\n* Newer.\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_a_release_takes_its_notes_from_the_changelog(checker, project):
    assert checker.check("v1.2.3", project) == "* New."


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("pyproject.toml", "1.2.3", "1.2.4"),
        ("nmt/__init__.py", "1.2.3", "1.2.4"),
        ("CITATION.cff", "1.2.3", "1.2.4"),
        ("helm/nmt/Chart.yaml", "version: 1.2.3", "version: 1.2.4"),
        ("helm/nmt/Chart.yaml", 'appVersion: "1.2.3"', 'appVersion: "1.2.4"'),
        ("CHANGELOG.md", " (2026-01-31)", ""),
        ("CHANGELOG.md", "2026-01-31", "2026-02-31"),
        ("CHANGELOG.md", "2026-01-31", "soon"),
        ("CHANGELOG.md", "1.2.3 (2026-01-31)", "Unreleased"),
        ("helm/nmt/CHANGELOG.md", "1.2.3 (2026-01-31)", "Unreleased"),
    ],
)
def test_a_release_is_refused_when_a_version_or_the_date_is_wrong(checker, project, name, old, new):
    text = (project / name).read_text("utf-8")
    assert old in text
    (project / name).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(checker.ReleaseError):
        checker.check("v1.2.3", project)


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2", "v1.2.4", "v1.2.3-rc1"])
def test_a_release_is_refused_for_another_tag(checker, project, tag):
    with pytest.raises(checker.ReleaseError):
        checker.check(tag, project)


def test_the_versions_in_the_repository_agree(checker):
    assert len(set(checker.written_versions(PROJECT).values())) == 1


def test_a_release_that_is_refused_ends_with_one_line_and_exit_code_1(checker, capsys):
    assert checker.main(["v0.0.0"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
