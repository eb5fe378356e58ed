import io
import os
import zipfile
from pathlib import Path

import pytest

from k8s.objects.code_archive import pack
from nmt.errors import InputError


@pytest.fixture
def folder(tmp_path) -> Path:
    code = tmp_path / "code"
    (code / "pack").mkdir(parents=True)
    (code / "main.py").write_text("print(1)\n")
    (code / "pack" / "part.py").write_text("x = 1\n")
    return code


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_all_files_are_packed_by_their_relative_names(folder):
    assert names(pack(folder).content) == ["main.py", "pack/part.py"]


def test_caches_and_environments_are_left_out(folder):
    for name in (".git", ".venv", "__pycache__", "runs", ".import_linter_cache"):
        (folder / name).mkdir()
        (folder / name / "big").write_text("x")
    (folder / "old.pyc").write_text("x")
    assert names(pack(folder).content) == ["main.py", "pack/part.py"]


def test_the_same_content_gives_the_same_bytes_whenever_it_was_written(folder):
    before = pack(folder)
    os.utime(folder / "main.py", (1, 1))
    assert pack(folder) == before


def test_another_content_gives_another_digest(folder):
    before = pack(folder).digest
    (folder / "main.py").write_text("print(2)\n")
    assert pack(folder).digest != before


def test_a_folder_that_is_too_big_is_refused_with_its_largest_files(folder):
    (folder / "data.bin").write_bytes(os.urandom(1_000_000))
    with pytest.raises(InputError, match=r"largest files: data.bin \(976 KiB\)"):
        pack(folder)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="link out of the folder"):
        pack(folder)


def test_a_link_to_a_folder_is_refused_because_it_may_form_a_cycle(folder):
    (folder / "pack" / "up").symlink_to(folder)
    with pytest.raises(InputError, match="link to a folder"):
        pack(folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        pack(tmp_path / "nowhere")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no files"):
        pack(tmp_path)
