"""Every command that a page shows can be run: its program, options, settings and files exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8s.cli.options import parse as parse_k8s
from nmt.access.options import KEYS, key_command
from nmt.cli.console import is_override
from nmt.cli.translation import BASE_SETTINGS
from nmt.config import load_config
from nmt.errors import NmtError
from nmt.provenance.options import ACTIONS as PROVENANCE_ACTIONS
from nmt.provenance.options import PROVENANCE
from nmt.ratings.options import ACTIONS as RATING_ACTIONS
from nmt.ratings.options import RATINGS
from nmt.serving.feedback.options import ACTIONS as FEEDBACK_ACTIONS
from nmt.serving.feedback.options import FEEDBACK
from nmt.serving.glossaries.options import ACTIONS as GLOSSARY_ACTIONS
from nmt.serving.glossaries.options import GLOSSARIES
from ray_jobs.cli import main
from ray_jobs.cli.runner import jobs, parse
from tests.support.project import CODE_BLOCK, CONFIGS, PAGES, PROJECT, relative

COMMANDS = {
    *jobs(),
    "config",
    "doctor",
    FEEDBACK,
    GLOSSARIES,
    "keys",
    "plan",
    PROVENANCE,
    "quickstart",
    RATINGS,
    "score",
    "traffic",
    "translate",
}
READERS_FILES = {"corpora.yaml", "sets.yaml"}
"""Settings files that a page shows, and the reader writes."""
OUTSIDE = {
    "base64",
    "curl",
    "docker",
    "export",
    "hf",
    "kill",
    "kubectl",
    "model_signing",
    "openssl",
    "pip",
    "pre-commit",
    "printf",
    "sleep",
    "source",
}
ACTIONS = {
    FEEDBACK: FEEDBACK_ACTIONS,
    GLOSSARIES: GLOSSARY_ACTIONS,
    PROVENANCE: PROVENANCE_ACTIONS,
    RATINGS: RATING_ACTIONS,
}
"""First words of commands that take some before their settings."""
MAKE_TARGETS = set(re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.M))
PLACEHOLDER = re.compile(r"…|=[A-Z_]+$")


def command_lines(page: str) -> Iterator[str]:
    """Yield the command lines of a page's shell blocks, with continued lines joined."""
    for language, block in CODE_BLOCK.findall(page):
        if language == "bash":
            yield from block.replace("\\\n", " ").splitlines()


def simple_commands(line: str) -> Iterator[list[str]]:
    """Yield the words of each command of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word in ("|", "||", "&", "&&", ";"):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def problem(words: list[str]) -> str:
    """Say what is wrong with a command, or return an empty text."""
    while words and is_override(words[0]):
        words = words[1:]
    for sign in ("<", ">"):
        if sign in words:
            at = words.index(sign)
            words = words[:at] + words[at + 2 :]
    match words:
        case []:
            return ""
        case ["nmt", *rest]:
            return nmt_problem(rest)
        case ["nmt-k8s", *rest]:
            return nmt_k8s_problem(rest)
        case ["helm", *rest]:
            missing = [w for w in rest if w.startswith("helm/") and not (PROJECT / w).exists()]
            return f"no {missing[0]}" if missing else ""
        case ["python", "-m", module, *_] if module.startswith("benchmarks."):
            known = (PROJECT / f"{module.replace('.', '/')}.py").is_file()
            return "" if known else f"no module {module}"
        case ["python", "-m", module, *rest]:
            package, _, name = module.rpartition(".")
            known = package == "ray_jobs" and name in jobs()
            return nmt_problem([name, *rest]) if known else f"no module {module}"
        case ["python", script, *_]:
            return "" if (PROJECT / script).is_file() else f"no script {script}"
        case ["make", *targets]:
            missing = set(targets) - MAKE_TARGETS
            return f"no target {missing}" if missing else ""
        case ["ray", "job", "submit", *rest]:
            return problem(rest[rest.index("--") + 1 :])
        case [program, *_]:
            return "" if program in OUTSIDE else f"unknown program {program}"
    return ""


def files(config: list[str]) -> list[Path]:
    """Return the settings files of a command, without those that the page asks the reader for."""
    return [PROJECT / file for file in config if str(file) not in READERS_FILES]


def nmt_problem(words: list[str]) -> str:
    try:
        options = parse(main._parser(), words)
        given = [w for w in getattr(options, "overrides", []) if not PLACEHOLDER.search(w)]
        base = {}
        if words[0] == "translate":
            given = [word for word in given if is_override(word)]
            base = BASE_SETTINGS
        if words[0] == KEYS:
            key_command(options, [word for word in given if not is_override(word)])
            given = [word for word in given if is_override(word)]
        if actions := ACTIONS.get(words[0]):
            action, *_ = [word for word in given if not is_override(word)]
            if action not in actions:
                return f"{action} is not one of {', '.join(actions)}"
            given = [word for word in given if is_override(word)]
        load_config(files(options.config), given, base=("", base))
    except SystemExit:
        return "the parser refuses it"
    except NmtError as error:
        return str(error)
    return ""


def nmt_k8s_problem(words: list[str]) -> str:
    try:
        options = parse_k8s(words)
        given = [word for word in options.overrides if not PLACEHOLDER.search(word)]
        if options.command == KEYS:
            key_command(options, options.operands)
        load_config(files(options.config), given)
    except SystemExit:
        return "the parser refuses it"
    except NmtError as error:
        return str(error)
    return ""


def problems_of(page: str) -> list[str]:
    commands = [words for line in command_lines(page) for words in simple_commands(line)]
    found = [f"{shlex.join(words)}: {problem(words)}" for words in commands]
    inline = {f"nmt {name}" for name in set(re.findall(r"`nmt ([a-z-]+)", page)) - COMMANDS}
    inline |= {f"make {name}" for name in set(re.findall(r"`make ([\w-]+)", page)) - MAKE_TARGETS}
    return [*(line for line in found if not line.endswith(": ")), *inline]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_command_on_a_page_can_be_run(page):
    assert problems_of(page.read_text("utf-8")) == []


def test_the_pages_have_commands_to_check():
    lines = [line for page in PAGES for line in command_lines(page.read_text("utf-8"))]
    assert sum(line.strip().startswith("nmt ") for line in lines) > 20


@pytest.mark.parametrize(
    "line",
    [
        "nmt fly",
        "nmt train --nowhere",
        "nmt train training.speed=1",
        "nmt train --config configs/none.yaml",
        "NMT_STORAGE=runs nmt train seed=-1",
        "nmt promote run=mine \\\n   serving.port=x",
        "nmt config look",
        "nmt glossaries show",
        "nmt feedback add",
        "nmt-k8s fly",
        "nmt-k8s submit train --nowhere",
        "nmt-k8s submit train trainng.max_steps=3",
        "helm install nmt helm/nmt -f helm/nmt/values/none.yaml",
        "cat text | nmt translate",
        "nmt translate seed=x 'text'",
        "make tea",
        "python docs/none.py",
        "python -m ray_jobs.none",
        "python -m benchmarks.none",
        "ray job submit --working-dir . -- python -m ray_jobs.train seed=x",
    ],
)
def test_a_command_that_cannot_be_run_is_found(line):
    assert problems_of(f"```bash\n{line}\n```\n")


def test_the_words_of_keys_are_checked():
    line = "```bash\n{} keys {} a\n```\n"
    for program in ("nmt", "nmt-k8s"):
        assert problems_of(line.format(program, "create")) == []
        [problem] = problems_of(line.format(program, "list"))
        assert "takes no 'a'" in problem


def test_text_and_placeholders_are_not_read_as_settings():
    page = "```bash\nnmt translate run=NAME 'a b' < in.txt > out.txt  # words\n```\n"
    assert problems_of(page) == []


def test_an_unknown_command_inside_a_sentence_is_found():
    assert problems_of("Say `nmt fly run=demo`.") == ["nmt fly"]
    assert problems_of("Say `make tea`.") == ["make tea"]


def test_the_readme_lists_every_command():
    table = (PROJECT / "README.md").read_text("utf-8").partition("## Commands")[2]
    cells = "".join(line for line in table.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(?:nmt )?([a-z]+)", cells)) >= COMMANDS


@pytest.mark.parametrize("file", CONFIGS, ids=relative)
def test_every_command_in_a_settings_file_can_be_run(file):
    lines = re.findall(r"^#\s+(nmt .*)$", file.read_text("utf-8"), re.MULTILINE)
    assert [found for line in lines if (found := problem(shlex.split(line)))] == []
