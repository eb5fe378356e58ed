"""What a record says of the code and the libraries that made an engine."""

import platform
import subprocess
from pathlib import Path

import pytest

from nmt import __version__
from nmt.runs import software
from nmt.runs.software import PACKAGES, REVISION_VARIABLE, installed_software


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the module lies as in a checkout, without a repository."""
    monkeypatch.delenv(REVISION_VARIABLE, raising=False)
    monkeypatch.setattr(software, "__file__", str(tmp_path / "nmt" / "runs" / "software.py"))
    return tmp_path


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    done = subprocess.run(
        ["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_it_names_the_versions_of_this_package_python_and_the_libraries() -> None:
    found = installed_software()
    assert (found.version, found.python) == (__version__, platform.python_version())
    assert found.packages.keys() <= set(PACKAGES)
    assert found.packages["torch"]


def test_the_revision_of_an_image_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REVISION_VARIABLE, "abc")
    assert installed_software().revision == "abc"


def test_an_image_without_a_revision_does_not_make_one_up(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REVISION_VARIABLE, "")
    assert installed_software().revision is None


def test_the_revision_of_a_checkout_is_its_commit_and_says_when_files_have_changed(
    checkout: Path,
) -> None:
    (checkout / "file").write_text("one")
    git(checkout, "init", "--quiet")
    git(checkout, "add", "file")
    git(checkout, "commit", "--quiet", "--message=one")
    commit = git(checkout, "rev-parse", "HEAD")
    assert installed_software().revision == commit
    (checkout / "file").write_text("two")
    assert installed_software().revision == f"{commit}-dirty"
