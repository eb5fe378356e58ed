"""The pages agree with the code: settings, files, errors, links and ports."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from nmt import errors
from nmt.config import Config, load_with_user_set
from nmt.config.explain import dotted_keys
from nmt.errors import NmtError
from nmt.serving.errors import RequestError
from tests.support.project import CODE_BLOCK, CONFIGS, PAGES, PROJECT, load_script, relative

HOSTS = {
    "aclanthology.org",
    "arxiv.org",
    "docs.nvidia.com",
    "docs.ray.io",
    "example.org",
    "github.com",
    "huggingface.co",
    "kueue.sigs.k8s.io",
    "ray-project.github.io",
    "translate.example.org",
}
LABEL_DOMAINS = {
    "app.kubernetes.io",
    "cert-manager.io",
    "cluster-autoscaler.kubernetes.io",
    "config.linkerd.io",
    "kubernetes.io",
    "linkerd.io",
    "nginx.ingress.kubernetes.io",
    "nvidia.com",
    "pod-security.kubernetes.io",
    "ray.io",
    "secrets-store.csi.k8s.io",
    "sidecar.istio.io",
    "topology.kubernetes.io",
    "traffic.sidecar.istio.io",
    "vpc.amazonaws.com",
}

# Messages that the code puts together from parts too short to search for.
ASSEMBLED = {"run 'mine' in … has no step 'train'"}
INLINE_CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CONFIG_FILE = re.compile(r"\bconfigs/[\w.-]+\.yaml\b")
HOST = re.compile(r"(?:[a-z0-9-]+\.)+(?:org|com|net|io|dev|ai|co)\b")
MACHINE_PATH = re.compile(r"(?<![\w./:~-])/(?:home|root|Users|work|workspace|builds?|opt|var)/\S*")


# Settings


@pytest.mark.parametrize("file", CONFIGS, ids=relative)
def test_every_settings_file_loads_and_sets_something(file):
    assert load_with_user_set([file]).user_set


def test_a_search_varies_only_keys_that_its_file_does_not_set():
    loaded = load_with_user_set([PROJECT / "configs" / "en_ta_tune.yaml"])
    assert loaded.config.tune.trials
    assert not loaded.user_set & loaded.config.tune.space.keys()


def missing_files(text: str) -> list[str]:
    return [name for name in CONFIG_FILE.findall(text) if not (PROJECT / name).is_file()]


@pytest.mark.parametrize("page", [*PAGES, *CONFIGS], ids=relative)
def test_every_settings_file_named_on_a_page_exists(page):
    assert missing_files(page.read_text("utf-8")) == []


def test_a_missing_settings_file_is_found():
    assert missing_files("see configs/none.yaml") == ["configs/none.yaml"]


# The settings reference


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return load_script(PROJECT / "docs" / "generate_reference.py")


def test_the_reference_is_up_to_date(generator):
    written = generator.REFERENCE.read_text("utf-8")
    assert written == generator.render(), "run `python docs/generate_reference.py`"


def test_the_reference_describes_every_setting(generator):
    rows = dict(re.findall(r"^\| `([\w.]+)` \|.*\| (.*) \|$", generator.render(), re.MULTILINE))
    keys = [key for key in dotted_keys(Config) if not key.endswith(".type")]
    assert [key for key in keys if not rows.get(key)] == []


def test_the_reference_shows_bounds_and_defaults(generator):
    page = generator.render()
    assert "| `serving.port` | integer, >= 0, <= 65535 | `8000` |" in page
    assert "| `data.path` | text or `null` | `null` |" in page
    assert "### `adapter.type=qlora`" in page


# Errors


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


# Messages


def test_every_message_that_the_how_to_explains_is_in_the_code():
    table = (PROJECT / "docs" / "how-to.md").read_text("utf-8").partition("| message |")[2]
    cells = [row.split(" | ")[0] for row in table.splitlines() if row.startswith("| `")]
    explained = [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]
    assert len(explained) > 30
    written = "\n".join(messages())
    missing = {code for code in explained if not any(run in written for run in runs_of(code))}
    assert missing <= ASSEMBLED


def runs_of(message: str) -> list[str]:
    """Return every three words in a row between the values of a message, or fewer if there are."""
    parts = re.split(r"…|'[^']*'|\S*[=_.]\S*|\b\d+\b|[:,()`]", message)
    words = [part.split() for part in parts]
    size = min(3, max(map(len, words)))
    return [" ".join(row[i : i + size]) for row in words for i in range(len(row) - size + 1)]


def messages() -> Iterator[str]:
    """Yield every string constant of the packages; a value in one becomes a space."""
    for package in ("nmt", "ray_jobs", "k8s"):
        for path in (PROJECT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.Constant(value=str(text)):
                        yield text
                    case ast.JoinedStr(values=parts):
                        yield "".join(
                            str(part.value) if isinstance(part, ast.Constant) else " "
                            for part in parts
                        )


# Links, hosts, paths


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def broken_links(text: str, folder: Path) -> list[str]:
    prose = INLINE_CODE.sub("code", CODE_BLOCK.sub("", text))
    return [link for link in LINK.findall(prose) if not has_target(link, text, folder)]


def has_target(link: str, text: str, folder: Path) -> bool:
    if "://" in link:
        return True
    name, _, anchor = link.partition("#")
    if name and not (folder / name).exists():
        return False
    target = (folder / name).read_text("utf-8") if name and anchor else text
    headings = re.findall(r"^#+ (.*)$", CODE_BLOCK.sub("", target), re.MULTILINE)
    return not anchor or anchor in map(slug, headings)


def foreign(text: str) -> list[str]:
    """Find hosts that are not in the list, and paths of one machine."""
    return [*(set(HOST.findall(text)) - HOSTS - LABEL_DOMAINS), *MACHINE_PATH.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_relative_link_has_a_target(page):
    assert broken_links(page.read_text("utf-8"), page.parent) == []


@pytest.mark.parametrize("page", [*PAGES, *CONFIGS], ids=relative)
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
def test_a_broken_link_an_unknown_host_and_a_machine_path_are_found(
    check: Callable[[str], list[str]], text: str
):
    assert check(text)


def test_good_links_known_hosts_and_mounted_folders_are_allowed():
    assert broken_links("# Two words\n[a](#two-words) [b](LICENSE) [c](https://x.y)", PROJECT) == []
    assert foreign("https://github.com/a/b and /mnt/nmt and POST /v1/translate") == []


# Ports


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_no_page_forwards_a_port_that_a_local_ray_may_use(page):
    """Otherwise a token or a request meant for the cluster would reach the local Ray."""
    forwarded = re.findall(r"kubectl port-forward \S+ (\S+)", page.read_text("utf-8"))
    assert not {words.partition(":")[0] for words in forwarded} & {"8000", "8265", "6379", "10001"}
