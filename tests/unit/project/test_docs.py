"""The documentation speaks of what there is: commands, settings, files, errors."""

import importlib.util
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from k8s.cli.options import parse as parse_k8s
from nmt import errors
from nmt.cli.console import is_override
from nmt.config import Config, load_config
from nmt.config.explain import dotted_keys
from nmt.errors import NmtError
from nmt.serving.errors import RequestError
from ray_jobs.cli import main
from ray_jobs.cli.runner import JOBS, parse
from tests.support.project import PROJECT

DOCS = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").glob("*.md"))]
CONFIGS = sorted((PROJECT / "configs").glob("*.yaml"))
COMMANDS = {*JOBS, "config", "quickstart", "doctor", "plan", "translate"}
OUTSIDE = {"base64", "curl", "export", "hf", "kill", "kubectl", "sleep", "source"}
HOSTS = {
    "aclanthology.org",
    "arxiv.org",
    "docs.nvidia.com",
    "docs.ray.io",
    "github.com",
    "huggingface.co",
    "kueue.sigs.k8s.io",
    "ray-project.github.io",
}
LABEL_DOMAINS = {
    "app.kubernetes.io",
    "cluster-autoscaler.kubernetes.io",
    "nvidia.com",
    "pod-security.kubernetes.io",
    "vpc.amazonaws.com",
}

BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CONFIG_FILE = re.compile(r"\bconfigs/[\w.-]+\.yaml\b")
HOST = re.compile(r"(?:[a-z0-9-]+\.)+(?:org|com|net|io|dev|ai|co)\b")
MACHINE_PATH = re.compile(r"(?<![\w./:~-])/(?:home|root|Users|work|workspace|builds?|opt|var)/\S*")
PLACEHOLDER = re.compile(r"…|=[A-Z_]+$")


def named(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


# Commands


def lines_of(page: str) -> Iterator[str]:
    """Command lines of a page's shell blocks, each whole."""
    for language, block in BLOCK.findall(page):
        if language == "bash":
            yield from block.replace("\\\n", " ").splitlines()


def simple_commands(line: str) -> Iterator[list[str]]:
    """Words of each command of a line, without redirections and variables before it."""
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


def command_fault(words: list[str]) -> str:
    """What is wrong with a command, or nothing."""
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
            return nmt_fault(rest)
        case ["nmt-k8s", *rest]:
            return nmt_k8s_fault(rest)
        case ["helm", *rest]:
            missing = [w for w in rest if w.startswith("helm/") and not (PROJECT / w).exists()]
            return f"no {missing[0]}" if missing else ""
        case ["python", "-m", module, *rest]:
            package, _, name = module.rpartition(".")
            known = package == "ray_jobs" and name in JOBS
            return nmt_fault([name, *rest]) if known else f"no module {module}"
        case ["python", script, *_]:
            return "" if (PROJECT / script).is_file() else f"no script {script}"
        case ["make", target]:
            found = re.search(rf"^{re.escape(target)}:", (PROJECT / "Makefile").read_text(), re.M)
            return "" if found else f"no target {target}"
        case ["ray", "job", "submit", *rest]:
            return command_fault(rest[rest.index("--") + 1 :])
        case [program, *_]:
            return "" if program in OUTSIDE else f"unknown program {program}"
    return ""


def nmt_fault(words: list[str]) -> str:
    try:
        options = parse(main._parser(), words)
        given = [w for w in getattr(options, "overrides", []) if not PLACEHOLDER.search(w)]
        if words[0] == "translate":
            given = [word for word in given if is_override(word)]
        load_config([PROJECT / file for file in options.config], given)
    except SystemExit:
        return "the parser refuses it"
    except NmtError as error:
        return str(error)
    return ""


def nmt_k8s_fault(words: list[str]) -> str:
    try:
        options = parse_k8s(words)
        given = [word for word in options.overrides if not PLACEHOLDER.search(word)]
        load_config([PROJECT / file for file in options.config], given)
    except SystemExit:
        return "the parser refuses it"
    except NmtError as error:
        return str(error)
    return ""


def faults_in_commands(page: str) -> list[str]:
    commands = [words for line in lines_of(page) for words in simple_commands(line)]
    faults = [f"{shlex.join(words)}: {command_fault(words)}" for words in commands]
    inline = set(re.findall(r"`nmt ([a-z-]+)", page)) - COMMANDS
    return [f for f in faults if not f.endswith(": ")] + [f"nmt {name}" for name in inline]


@pytest.mark.parametrize("page", DOCS, ids=named)
def test_every_command_of_a_page_is_one(page):
    assert faults_in_commands(page.read_text("utf-8")) == []


def test_the_pages_hold_commands_to_look_at():
    lines = [line for page in DOCS for line in lines_of(page.read_text("utf-8"))]
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
        "nmt-k8s fly",
        "nmt-k8s submit train --nowhere",
        "nmt-k8s submit train trainng.max_steps=3",
        "helm install nmt helm/nmt -f helm/nmt/values/none.yaml",
        "cat text | nmt translate",
        "nmt translate seed=x 'text'",
        "make tea",
        "python docs/none.py",
        "python -m ray_jobs.none",
        "ray job submit --working-dir . -- python -m ray_jobs.train seed=x",
    ],
)
def test_a_command_that_is_none_is_found(line):
    assert faults_in_commands(f"```bash\n{line}\n```\n")


def test_text_and_placeholders_are_no_settings():
    page = "```bash\nnmt translate run=NAME 'a b' < in.txt > out.txt  # words\n```\n"
    assert faults_in_commands(page) == []


def test_an_unknown_command_inside_a_sentence_is_found():
    assert faults_in_commands("Say `nmt fly run=demo`.") == ["nmt fly"]


def test_the_readme_lists_every_command():
    table = (PROJECT / "README.md").read_text("utf-8").partition("## Commands")[2]
    cells = "".join(line for line in table.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(?:nmt )?([a-z]+)", cells)) >= COMMANDS


# Settings


@pytest.mark.parametrize("file", CONFIGS, ids=named)
def test_every_settings_file_loads_and_names_commands_that_work(file):
    assert load_config([file]).explicit()
    lines = re.findall(r"^#\s+(nmt .*)$", file.read_text("utf-8"), re.MULTILINE)
    assert [fault for line in lines if (fault := command_fault(shlex.split(line)))] == []


def test_a_search_is_over_keys_that_its_file_does_not_set():
    config = load_config([PROJECT / "configs" / "en_ta_tune.yaml"])
    assert config.tune.trials
    assert not config.explicit() & config.tune.space.keys()


def missing_files(text: str) -> list[str]:
    return [name for name in CONFIG_FILE.findall(text) if not (PROJECT / name).is_file()]


@pytest.mark.parametrize("page", [*DOCS, *CONFIGS], ids=named)
def test_every_settings_file_that_is_named_exists(page):
    assert missing_files(page.read_text("utf-8")) == []


def test_a_settings_file_that_is_missing_is_found():
    assert missing_files("see configs/none.yaml") == ["configs/none.yaml"]


# The settings reference


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    path = PROJECT / "docs" / "generate_reference.py"
    spec = importlib.util.spec_from_file_location("generate_reference", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_fresh(generator):
    written = generator.REFERENCE.read_text("utf-8")
    assert written == generator.render(), "run `python docs/generate_reference.py`"


def test_the_reference_lists_every_setting_with_its_meaning(generator):
    rows = dict(re.findall(r"^\| `([\w.]+)` \|.*\| (.*) \|$", generator.render(), re.MULTILINE))
    keys = [key for key in dotted_keys(Config) if not key.endswith(".type")]
    assert [key for key in keys if not rows.get(key)] == []


def test_the_reference_tells_bounds_and_defaults(generator):
    page = generator.render()
    assert "| `serving.port` | integer, >= 0, <= 65535 | `8000` |" in page
    assert "| `data.path` | text or `null` | `null` |" in page
    assert "### `adapter.type=qlora`" in page


# What the library can answer


def test_every_error_of_the_endpoint_is_in_the_api_page():
    page = (PROJECT / "docs" / "api.md").read_text("utf-8")
    refusals = RequestError.__subclasses__()
    assert len(refusals) > 5
    missing = [r.code for r in refusals if f"| {r.status} | `{r.code}` |" not in page]
    assert missing == []


def test_every_error_class_is_in_the_architecture_page():
    page = (PROJECT / "docs" / "architecture.md").read_text("utf-8")
    found = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, NmtError)]
    classes = [e for e in found if e.__name__ not in ("NmtError", "InputError")]
    assert len(classes) > 5
    assert [e for e in classes if f"| `{e.__name__}` | {e.exit_code} |" not in page] == []


# Links, hosts, paths


def slug(heading: str) -> str:
    """Anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def broken_links(text: str, folder: Path) -> list[str]:
    prose = INLINE_CODE.sub("code", BLOCK.sub("", text))
    return [link for link in LINK.findall(prose) if not leads(link, text, folder)]


def leads(link: str, text: str, folder: Path) -> bool:
    if "://" in link:
        return True
    name, _, anchor = link.partition("#")
    if name and not (folder / name).exists():
        return False
    target = (folder / name).read_text("utf-8") if name and anchor else text
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", target), re.MULTILINE)
    return not anchor or anchor in map(slug, headings)


def foreign(text: str) -> list[str]:
    """Hosts that are not known here, and paths of somebody's machine."""
    return [*(set(HOST.findall(text)) - HOSTS - LABEL_DOMAINS), *MACHINE_PATH.findall(text)]


@pytest.mark.parametrize("page", DOCS, ids=named)
def test_every_relative_link_leads_somewhere(page):
    assert broken_links(page.read_text("utf-8"), page.parent) == []


@pytest.mark.parametrize("page", [*DOCS, *CONFIGS], ids=named)
def test_no_page_names_a_machine_or_an_unknown_host(page):
    assert foreign(page.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (lambda text: broken_links(text, PROJECT), "[a](none.md)"),
        (lambda text: broken_links(text, PROJECT), "[a](README.md#nowhere)"),
        (lambda text: broken_links(text, PROJECT), "# Here\n[a](#there)"),
        (foreign, "from https://registry.example.org/simple"),
        (foreign, "in /home/someone/runs"),
        (foreign, "`/root/.cache`"),
    ],
)
def test_a_broken_link_or_a_foreign_place_is_found(check: Callable[[str], list[str]], text: str):
    assert check(text)


def test_a_good_link_and_a_shared_folder_are_left_alone():
    assert broken_links("# Two words\n[a](#two-words) [b](LICENSE) [c](https://x.y)", PROJECT) == []
    assert foreign("https://github.com/a/b and /mnt/nmt and POST /v1/translate") == []


# Ports


@pytest.mark.parametrize("page", DOCS, ids=named)
def test_no_page_forwards_a_port_that_a_ray_of_this_machine_may_have(page):
    """A token or a request that is meant for the cluster would go to that one."""
    forwarded = re.findall(r"kubectl port-forward \S+ (\S+)", page.read_text("utf-8"))
    assert not {words.partition(":")[0] for words in forwarded} & {"8000", "8265", "6379", "10001"}
