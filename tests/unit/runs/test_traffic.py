from datetime import UTC, datetime, timedelta

import pytest

from nmt.errors import InputError, StorageError
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import (
    ReplicaReport,
    Traffic,
    promote,
    read_reports,
    read_traffic,
    rollback,
    write_traffic,
)


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with the engines a, b and c."""
    storage = Storage(str(tmp_path / "runs"))
    for digest in "abc":
        with storage.commit(layout.engine(digest)) as folder:
            (folder / "engine.json").write_text("{}")
    return storage


def promote_all(storage: Storage, digests: str) -> Traffic:
    return [promote(storage, "default", digest) for digest in digests][-1]


def test_there_is_no_pointer_before_the_first_promotion(storage):
    assert read_traffic(storage, "default") is None


def test_a_promoted_engine_is_stable(storage):
    promote(storage, "default", "a")
    assert read_traffic(storage, "default") == Traffic(stable="a")


def test_what_promote_returns_is_what_is_read(storage):
    assert promote_all(storage, "ab") == read_traffic(storage, "default")


def test_promotion_remembers_the_engines_before_latest_first(storage):
    assert promote_all(storage, "abc").previous == ("b", "a")


@pytest.mark.parametrize("times", [2, 3])
def test_promoting_the_same_engine_again_keeps_the_history(storage, times):
    assert promote_all(storage, "a" + "b" * times) == Traffic(stable="b", previous=("a",))


def test_the_history_is_bounded(storage):
    assert len(promote_all(storage, "ab" * 20).previous) == 10


@pytest.mark.parametrize("digest", ["a", "b"], ids=["the-stable-one", "another"])
def test_promotion_ends_canary_and_shadow(storage, digest):
    write_traffic(storage, "default", Traffic(stable="a", canary="b", percent=20, shadow="c"))
    traffic = promote(storage, "default", digest)
    assert (traffic.canary, traffic.percent, traffic.shadow) == (None, 0, None)


def test_rollback_goes_back_to_the_engine_before(storage):
    promote_all(storage, "abc")
    assert rollback(storage, "default") == Traffic(stable="b", previous=("a",))
    assert read_traffic(storage, "default") == Traffic(stable="b", previous=("a",))


def test_rollbacks_go_back_as_far_as_promotions_went_on(storage):
    promote_all(storage, "abc")
    assert [rollback(storage, "default").stable for _ in range(2)] == ["b", "a"]


def test_rollback_without_any_promotion_says_what_to_run(storage):
    with pytest.raises(InputError, match="nmt promote"):
        rollback(storage, "default")


def test_rollback_from_the_first_engine_is_refused_and_changes_nothing(storage):
    promote(storage, "default", "a")
    with pytest.raises(InputError, match="engine a is the first one served"):
        rollback(storage, "default")
    assert read_traffic(storage, "default") == Traffic(stable="a")


def test_rollback_to_an_engine_that_was_deleted_is_refused(storage):
    promote_all(storage, "ab")
    storage.delete(layout.engine("a"))
    with pytest.raises(InputError, match="engine a is not in"):
        rollback(storage, "default")
    assert read_traffic(storage, "default") == Traffic(stable="b", previous=("a",))


def test_an_engine_that_is_not_there_is_refused_and_changes_nothing(storage):
    promote(storage, "default", "a")
    with pytest.raises(InputError, match=f"engine nope is not in {storage.locate(layout.ENGINES)}"):
        promote(storage, "default", "nope")
    assert read_traffic(storage, "default") == Traffic(stable="a")


def test_a_half_written_engine_is_refused(storage):
    storage.write_bytes(f"{layout.engine('half')}/engine.json", b"{}")
    with pytest.raises(InputError, match="engine half"):
        promote(storage, "default", "half")


def test_endpoints_have_pointers_of_their_own(storage):
    promote(storage, "default", "a")
    promote(storage, "other", "b")
    assert [read_traffic(storage, name) for name in ("default", "other")] == [
        Traffic(stable="a"),
        Traffic(stable="b"),
    ]


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"{}", b'{"stable": "a", "percent": 101}'],
    ids=["no-json", "no-mapping", "no-engine", "percent"],
)
def test_a_pointer_that_cannot_be_understood_is_a_storage_error_that_names_it(storage, content):
    storage.write_bytes(layout.traffic("default"), content)
    with pytest.raises(StorageError, match=r"serving/default/traffic\.json"):
        read_traffic(storage, "default")


def test_fields_of_a_later_release_are_read_over_and_kept_by_a_promotion_and_a_rollback(storage):
    later = {"engine": "a", "reason": "a field of a later release"}
    storage.write_json(layout.traffic("default"), {"stable": "a", "approved": later})
    assert getattr(read_traffic(storage, "default"), "stable", None) == "a"
    for change in (lambda: promote(storage, "default", "b"), lambda: rollback(storage, "default")):
        change()
        assert storage.read_json(layout.traffic("default"))["approved"] == later
    assert storage.read_json(layout.traffic("default"))["stable"] == "a"


# Reports of replicas

NOW = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)


def report(storage: Storage, **fields: object) -> ReplicaReport:
    """Read back a report with these fields."""
    content = {"replica": "one", "host": "a", "digest": "a", "wanted": "a", **fields}
    storage.write_json(f"{layout.replica_reports('default')}/one.json", content)
    (found,) = read_reports(storage, "default")
    return found


@pytest.mark.parametrize(
    ("seconds", "silent"), [(-30, False), (0, False), (130, False), (190, True), (90_000, True)]
)
def test_a_replica_is_silent_once_it_has_missed_three_reports(storage, seconds, silent):
    seen = NOW - timedelta(seconds=seconds)
    found = report(storage, seen=seen.isoformat(timespec="seconds"))
    assert found.is_silent(NOW) is silent
    assert found.age_seconds(NOW) == max(0, seconds)


def test_a_replica_that_looks_rarely_is_not_called_silent_in_between(storage):
    seen = (NOW - timedelta(seconds=500)).isoformat(timespec="seconds")
    assert not report(storage, seen=seen, every_seconds=300).is_silent(NOW)


def test_a_report_that_does_not_say_when_it_was_written_is_not_called_silent(storage):
    assert not report(storage).is_silent(NOW)


def test_a_report_of_a_later_release_is_read(storage):
    assert report(storage, memory_bytes=5).digest == "a"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"replica": 1}', b"\xff"])
def test_a_report_that_cannot_be_read_says_so(storage, content):
    storage.write_bytes(f"{layout.replica_reports('default')}/one.json", content)
    (found,) = read_reports(storage, "default")
    assert found.replica == "one"
    assert "one.json is not the report of a replica" in (found.error or "")
