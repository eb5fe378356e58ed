"""The traffic file as it is read and written, by several releases and several processes."""

import multiprocessing
from collections.abc import Sequence

import pytest

from nmt.errors import StorageError
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import Route, Traffic, change_traffic, promote, read_traffic, rollback
from tests.support.runs.evaluated_run import leave_engine

PAIR = "eng_Latn-tam_Taml"
PROMOTERS, PROMOTIONS = 2, 4


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with the Tamil engines a and b, and the Hindi engine h."""
    storage = Storage(str(tmp_path / "runs"))
    leave_engine(storage, "a")
    leave_engine(storage, "b")
    leave_engine(storage, "h", "hin_Deva")
    return storage


def write(storage: Storage, **content: object) -> None:
    storage.write_json(layout.traffic("default"), content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b'{"stable": "a", "percent": 101}',
        b'{"version": 2}',
        b'{"version": "2"}',
        b'{"version": true, "stable": "a"}',
        b'{"version": 0, "stable": "a"}',
        b'{"version": 2, "default": "x", "routes": {"x": {"stable": "a"}}}',
        b'{"version": 2, "default": "eng_Latn-tam_Taml", "routes": {}}',
    ],
)
def test_a_file_that_cannot_be_understood_is_an_error_that_names_it(storage, content):
    storage.write_bytes(layout.traffic("default"), content)
    with pytest.raises(StorageError, match=r"serving/default/traffic\.json.*delete this one file"):
        read_traffic(storage, "default")


def test_a_file_of_a_later_version_is_refused_and_not_changed(storage):
    write(storage, version=3, default=PAIR, routes={PAIR: {"stable": "a"}})
    before = storage.read_bytes(layout.traffic("default"))
    for use in (lambda: read_traffic(storage, "default"), lambda: promote(storage, "default", "b")):
        with pytest.raises(StorageError, match="is of version 3, and this release reads up to"):
            use()
    assert storage.read_bytes(layout.traffic("default")) == before


def test_fields_of_a_later_release_are_kept_by_a_promotion_and_a_rollback(storage):
    later = {"engine": "a", "reason": "a field of a later release"}
    route = {"stable": "a", "approved": later}
    write(storage, version=2, default=PAIR, routes={PAIR: route}, budget=later)
    for change in (lambda: promote(storage, "default", "b"), lambda: rollback(storage, "default")):
        change()
        content = storage.read_json(layout.traffic("default"))
        assert content["budget"] == content["routes"][PAIR]["approved"] == later


# Version 1


def test_a_file_of_version_1_is_one_route_of_the_languages_of_its_engine(storage):
    write(storage, stable="a", previous=["b"], forced={"a": "a test"}, canary=None, percent=0)
    route = Route(stable="a", previous=("b",), forced={"a": "a test"})
    assert read_traffic(storage, "default") == Traffic(default=PAIR, routes={PAIR: route})


def test_a_file_of_version_1_is_written_as_version_2_with_its_unknown_fields(storage):
    write(storage, stable="a", approved="yes")
    promote(storage, "default", "b")
    content = storage.read_json(layout.traffic("default"))
    assert (content["version"], content["serial"], content["approved"]) == (2, 1, "yes")
    assert content["routes"][PAIR] | {"stable": "b", "previous": ["a"]} == content["routes"][PAIR]


def test_the_languages_of_version_1_come_from_an_earlier_engine_if_need_be(storage):
    write(storage, stable="gone", previous=["lost", "b"])
    found = read_traffic(storage, "default")
    assert found == Traffic(
        default=PAIR, routes={PAIR: Route(stable="gone", previous=("lost", "b"))}
    )


def test_an_earlier_engine_of_other_languages_is_not_one_to_roll_back_to(storage):
    write(storage, stable="a", previous=["h", "b"])
    assert rollback(storage, "default").stable == "b"


def test_a_file_of_version_1_without_any_readable_engine_names_the_one_to_export(storage):
    write(storage, stable="gone", previous=["lost"])
    with pytest.raises(StorageError, match=r"run `nmt export` again for the run of engine gone"):
        read_traffic(storage, "default")


def test_a_canary_of_version_1_has_a_rollout(storage):
    write(storage, stable="a", canary="b", percent=20)
    found = read_traffic(storage, "default")
    assert found
    assert (found.route().canary, found.route().percent, found.route().rollout) == (
        "b",
        20,
        "version-1",
    )


# Several processes


def _promote_many(storage: Storage, digests: Sequence[str]) -> None:
    for digest in digests:
        promote(storage, "default", digest)


def check_that_no_promotion_is_lost(storage: Storage) -> None:
    """Promote engines of as many language pairs as there are processes, all at once."""
    targets = ("tam_Taml", "hin_Deva")
    jobs = []
    for target in targets:
        digests = [f"{target}-{number}" for number in range(PROMOTIONS)]
        for digest in digests:
            leave_engine(storage, digest, target)
        jobs.append((storage, digests))
    # Each process has a lock of its own, as two commands have.
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_promote_many, args=job) for job in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0] * PROMOTERS
    found = read_traffic(storage, "default")
    assert found
    assert found.serial == PROMOTERS * PROMOTIONS
    for _, digests in jobs:
        newest, *earlier = reversed(digests)
        route = next(each for each in found.routes.values() if each.stable == newest)
        assert route.previous == tuple(earlier)


def test_promoters_at_once_lose_no_promotion_in_a_folder(tmp_path):
    check_that_no_promotion_is_lost(Storage(str(tmp_path / "runs")))


def test_promoters_at_once_lose_no_promotion_on_an_object_store(s3_url):
    check_that_no_promotion_is_lost(Storage(s3_url))


def test_a_change_is_made_again_from_what_another_process_has_written(storage):
    promote(storage, "default", "a")
    seen: list[str] = []

    def change(current: Traffic | None) -> Traffic:
        assert current
        seen.append(current.route().stable)
        if len(seen) == 1:
            promote(storage, "default", "b")
        return current.with_route(PAIR, current.route().with_shadow("c"))

    leave_engine(storage, "c")
    changed = change_traffic(storage, "default", change)
    assert seen == ["a", "b"]
    assert (changed.route().stable, changed.route().shadow, changed.serial) == ("b", "c", 3)
