"""Paths below the storage root are written in one module alone."""

import ast
import inspect
import itertools
import re
from collections.abc import Iterator

import pytest

from nmt.config.root import RESERVED_RUNS
from nmt.runs import layout
from nmt.runs.steps import STEPS, TRAIN, AnyStep
from tests.support.project import PROJECT

LAYOUT = {"nmt/runs/layout.py", "nmt/runs/steps.py"}
# Files of the same name that have another meaning.
ELSEWHERE = {
    "config.json",  # of a model, in the format of transformers
    "adapter",  # below an engine
    "base",  # a section of settings, a name of a system
    "data",
    "train",  # the group of a figure, like train/loss
}
ALLOWED = {
    "nmt/config/root.py": {"mlflow.db"},  # a package below the layout; compared with it here
    # Addresses of Ray over HTTP.
    "ray_jobs/submitter.py": {"\0\0/logs/tail", "\0\0/logs", "/logs/tail", "/logs"},
    "nmt/data/prepare.py": {"cleaning.json", "dropped.parquet"},  # inside a folder commit
    "nmt/serving/documents/store.py": {"slices/\0.json"},  # inside the folder of a document
}
PLACEHOLDER = "\0"


def paths() -> list[str]:
    """Return every path that the layout knows, with a placeholder for each text in it."""
    found = [layout.ENGINES, layout.ENDPOINTS, layout.MLFLOW_ARTIFACTS, layout.MLFLOW_DATABASE]
    for function in vars(layout).values():
        if not inspect.isfunction(function) or function is layout.checkpoint_step:
            continue
        parameters = inspect.signature(function).parameters.values()
        kinds = {str: [PLACEHOLDER], int: [1], AnyStep: STEPS.values()}
        for values in itertools.product(*(kinds[each.annotation] for each in parameters)):
            found.append(function(*values))
    return found


def names_below_the_root() -> set[str]:
    parts = {part for path in paths() for part in path.split("/")}
    return {part for part in parts if part.strip(PLACEHOLDER)} - ELSEWHERE


def docstrings(tree: ast.AST) -> set[int]:
    """Return the identities of all docstrings, those of attributes among them."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def text_of(node: ast.AST) -> str | None:
    """Return a literal text; the values in an f-string become placeholders."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(value) or PLACEHOLDER for value in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def path_literals(source: str, names: set[str]) -> Iterator[tuple[int, str]]:
    """Find texts that look like a path made of the given names."""
    tree = ast.parse(source)
    ignored = docstrings(tree)
    for node in ast.walk(tree):
        text = None if id(node) in ignored else text_of(node)
        if text is None or re.search(r"\s", text):  # a message may name a file
            continue
        if text.lstrip("/").startswith("v1/"):  # an address of the HTTP interface
            continue
        parts = text.split("/")
        if names & set(parts) and (len(parts) > 1 or "." in text):
            yield node.lineno, text  # type: ignore[attr-defined]


@pytest.mark.parametrize("package", ["nmt", "ray_jobs", "k8s"])
def test_no_other_module_writes_a_path_below_the_storage_root(package):
    names = names_below_the_root()
    found = [
        f"{path.relative_to(PROJECT)}:{line}: {text!r}"
        for path in sorted((PROJECT / package).rglob("*.py"))
        if str(path.relative_to(PROJECT)) not in LAYOUT
        for line, text in path_literals(path.read_text(encoding="utf-8"), names)
        if text not in ALLOWED.get(str(path.relative_to(PROJECT)), ())
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    ['f"{folder}/checkpoints"', '"summary.json"', 'f"{run}/logs/{job}.log"', '"tune/best.json"'],
)
def test_a_path_in_another_module_would_be_found(line):
    assert list(path_literals(f"path = {line}", names_below_the_root()))


def test_a_run_cannot_take_a_name_that_all_runs_share():
    shared = {
        layout.ENGINES,
        layout.ENDPOINTS,
        layout.CAMPAIGNS,
        layout.GATES,
        layout.MLFLOW_ARTIFACTS,
        layout.MLFLOW_DATABASE,
        layout.PROVENANCE,
    }
    assert shared == set(RESERVED_RUNS)


def test_no_two_functions_return_the_same_path():
    every = [path for path in paths() if path.count(PLACEHOLDER) and "/" in path]
    assert len(every) == len(set(every))


def test_the_lock_of_a_step_outlives_its_folder():
    assert not layout.step_lock("demo", TRAIN).startswith(f"{layout.step_folder('demo', TRAIN)}/")


@pytest.mark.parametrize(
    ("name", "step"),
    [("step-00000012", 12), ("step-12", None), ("step-", None), (".step-00000012.x.partial", None)],
)
def test_the_step_of_a_checkpoint_is_read_from_its_name(name, step):
    assert layout.checkpoint_step(name) == step
    if step is not None:
        assert layout.checkpoint("folder", step) == f"folder/{name}"
