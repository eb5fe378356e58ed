"""Function docstrings begin with a verb in the imperative, and messages are in plain English."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.project import PAGES, PROJECT, relative

FOLDERS = ("nmt", "ray_jobs", "k8s", "helm", "docs", "benchmarks", ".github")
SOURCES = sorted(path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py"))

# Verbs in the imperative. Add one that is missing; a noun or a third person does not belong here.
WORDS = """
accept add adjust advance agree align allocate answer append apply ask assemble assign attach
average balance batch begin bind block bound break bring broadcast build calculate call cancel cap
cast catch change check choose classify clean clear clip close collect combine commit compare
compile complete compute configure connect contain continue convert copy correct count cover
create cut deal decide declare decode decorate default defer define delete deliver demand derive
describe detach detect determine diagnose digest disable discard divide do double download drain
draw drop dump edit embed emulate enable encode encrypt end enforce ensure enter enumerate escape
estimate evaluate examine exchange exclude execute exit expand expect explain export expose extend
extract fail fetch fill filter find finish fit fix flag flatten flush follow forbid force forecast
forget fork format forward free freeze gather generate get give group guard guess halve handle hash
hide highlight hold identify ignore implement import include increment index infer inform inherit
initialise initialize insert inspect install interrupt invalidate invert invoke isolate iterate
join judge keep kill label launch leave let limit link list listen load locate lock log look loop
lower make map mark mask match measure merge migrate mirror mix model monitor mount move multiply
name narrow nest normalise normalize note notify number obey observe offer omit open order overlap
override own pack pad page parse partition pass patch pause permit pick pin place plan plant point
poll pop predict prefer prefix prepare preserve prevent print probe proceed process produce promise
promote propagate protect provide prune publish pull push put quantize query quiet quote raise
randomise rank read rebuild receive recognise recognize recompress recompute record recover
redirect reduce refer refresh refuse register reject relate release reload remember remove rename
render repair repeat replace reply report represent request require rerun rescale reserve reset
resize resolve respond restart restore restrict resume retain retry return reuse reverse revert
rewrite revoke roll rotate round route run sample sanitise save say scale scan schedule score
search seed select send separate serialise serialize serve set shard share shift shorten show
shrink shuffle shut sign signal simplify simulate skip sleep slice snapshot sort spawn spell spend
split spread stack stage start state stay step stop store stream strip submit subtract suggest sum
summarise summarize supply suppress swap sweep switch synchronise synchronize take tell terminate
test throttle tie time tokenize track train transfer transform translate transpose traverse treat
trim truncate try turn type undo unload unlock unpack update upgrade upload use validate verify
visit wait wake walk warm warn watch weigh widen withdraw wrap write yield zero
"""
VERBS = frozenset(WORDS.split())
# Functions whose docstring may begin otherwise, as `file.py:function`. At most thirty.
EXCEPTIONS: frozenset[str] = frozenset()

# "is not a quantity" instead of "is no quantity"; "there is no" and "is no longer" are English.
IS_NO = re.compile(r"(?<!there )\b(is|are) no (?!longer|more)", re.IGNORECASE)


def docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the docstring of every function of a file that has one."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield f"{relative(path)}:{node.name}", text


def first_word(text: str) -> str:
    return text.split()[0].strip(".,:;").lower()


def strings(source: str) -> Iterator[str]:
    """Yield every string constant of a source text, docstrings included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split())


def test_every_function_docstring_begins_with_a_verb_in_the_imperative():
    others = {
        f"{name}: {text.splitlines()[0]}"
        for path in SOURCES
        for name, text in docstrings(path)
        if first_word(text) not in VERBS and name not in EXCEPTIONS
    }
    assert sorted(others) == []


def test_every_exception_is_needed_and_there_are_few():
    needed = {
        name for path in SOURCES for name, text in docstrings(path) if first_word(text) not in VERBS
    }
    assert needed >= EXCEPTIONS
    assert len(EXCEPTIONS) <= 30


@pytest.mark.parametrize("text", ["The last checkpoint.", "Reads a file.", "Whether it fits."])
def test_a_docstring_without_a_verb_in_the_imperative_is_found(text):
    assert first_word(text) not in VERBS


def test_no_string_says_is_no():
    found = {
        f"{relative(path)}: {text[:80]}"
        for path in SOURCES
        for text in strings(path.read_text("utf-8"))
        if IS_NO.search(text)
    }
    assert sorted(found) == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_no_page_says_is_no(page):
    text = " ".join(page.read_text("utf-8").split())
    assert [text[m.start() - 30 : m.end() + 30] for m in IS_NO.finditer(text)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("'x' is no step", True),
        ("the bytes are no UTF-8", True),
        ("There is no such run", False),
        ("it is no longer served", False),
    ],
)
def test_only_the_wrong_is_no_is_found(text, found):
    assert bool(IS_NO.search(text)) == found
