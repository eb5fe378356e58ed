"""Ratings of rows that a study has ratings of already."""

import pytest

from nmt.errors import DataError
from nmt.ratings import imports
from nmt.ratings.imports import import_files
from nmt.ratings.studies import read_keys, read_ratings, start_study, write_batch
from nmt.storage import Storage
from tests.support.ratings.studies import design, fill_in, score_by, write

GOOD = score_by({"old": 60.0, "new": 75.0})


class Study:
    """A study, and the sheet of its one rater."""

    def __init__(self, folder):
        self.folder = folder
        self.storage = Storage(str(folder / "runs"))
        made = start_study(self.storage, design())
        self.sheet = write_batch(self.storage, made, folder / "sheets", "csv").files[0].read_bytes()
        self.key = read_keys(self.storage, made)[0]

    def filled(self, fill=GOOD, comment=""):
        content = fill_in(self.sheet, self.key, fill).decode("utf-8-sig")
        head, first, *rest = content.splitlines()
        return "\r\n".join([head, first + comment, *rest]).encode()

    def give_back(self, *contents, **options):
        paths = [write(self.folder, f"{at}.csv", content) for at, content in enumerate(contents)]
        (imported,) = import_files(self.storage, "demo", paths, **options)
        return imported

    def ratings(self):
        return {each.row: each for each in read_ratings(self.storage, "demo", "first")}

    def comment(self):
        return self.ratings()[self.key.rows[0].id].comment


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def test_a_comment_alone_is_not_another_rating_and_the_newer_one_is_kept(study):
    study.give_back(study.filled(comment="unclear"))
    imported = study.give_back(study.filled(comment="clear now"))
    assert (imported.new, imported.known, imported.replaced) == (0, len(study.key.rows), 0)
    assert study.comment() == "clear now"


def test_an_earlier_comment_is_kept_where_there_is_no_newer_one(study):
    study.give_back(study.filled(comment="unclear"))
    study.give_back(study.filled())
    assert study.comment() == "unclear"


def test_two_files_of_one_import_may_differ_in_a_comment(study):
    study.give_back(study.filled(comment="unclear"), study.filled())
    assert study.comment() == "unclear"


def test_an_import_that_ends_meanwhile_is_not_replaced(study, monkeypatch):
    study.give_back(study.filled(lambda *_: "50"))
    before = study.ratings()
    # As the first check saw it, before the other import had ended.
    monkeypatch.setattr(imports, "read_ratings", lambda *_: ())
    with pytest.raises(DataError, match="other ratings than were imported before"):
        study.give_back(study.filled())
    assert study.ratings() == before
