"""The traffic file: promotion, canary, shadow, rollback and routes."""

import pytest

from nmt.errors import InputError, StorageError
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import (
    Route,
    Traffic,
    change_traffic,
    parse_route_key,
    promote,
    read_traffic,
    remove_route,
    rollback,
    start_canary,
    start_shadow,
)
from tests.support.runs.evaluated_run import leave_engine

TAMIL, HINDI = "eng_Latn-tam_Taml", "eng_Latn-hin_Deva"


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with the Tamil engines a, b and c, and the Hindi engine h."""
    storage = Storage(str(tmp_path / "runs"))
    for digest in "abc":
        leave_engine(storage, digest)
    leave_engine(storage, "h", "hin_Deva")
    return storage


def promote_all(storage: Storage, digests: str) -> Route:
    for digest in digests:
        promote(storage, "default", digest)
    return tamil(storage)


def traffic(storage: Storage) -> Traffic:
    found = read_traffic(storage, "default")
    assert found
    return found


def tamil(storage: Storage) -> Route:
    return traffic(storage).route(TAMIL)


def start_canary_at_10(storage: Storage, name: str, digest: str, **options: float) -> Traffic:
    return start_canary(storage, name, digest, 10, shadow_percent=options.get("shadow_percent"))


def test_there_is_no_traffic_file_before_the_first_promotion(storage):
    assert read_traffic(storage, "default") is None


def test_a_promoted_engine_is_the_stable_one_of_its_language_pair(storage):
    promoted = promote(storage, "default", "a")
    assert promoted == Traffic(default=TAMIL, serial=1, routes={TAMIL: Route(stable="a")})
    assert promoted == read_traffic(storage, "default")


def test_promotion_remembers_the_engines_before_latest_first(storage):
    assert promote_all(storage, "abc").previous == ("b", "a")


@pytest.mark.parametrize("times", [2, 3])
def test_promoting_the_same_engine_again_keeps_the_history(storage, times):
    assert promote_all(storage, "a" + "b" * times) == Route(stable="b", previous=("a",))


def test_the_history_is_bounded(storage):
    assert len(promote_all(storage, "ab" * 20).previous) == 10


def test_each_change_raises_the_serial(storage):
    promote_all(storage, "ab")
    rollback(storage, "default")
    assert traffic(storage).serial == 3


def test_an_engine_of_another_language_pair_adds_a_route_and_the_default_stays(storage):
    promote_all(storage, "ah")
    assert traffic(storage).default == TAMIL
    assert {key: route.stable for key, route in traffic(storage).routes.items()} == {
        TAMIL: "a",
        HINDI: "h",
    }


def test_an_engine_for_a_domain_adds_a_route_and_the_pair_keeps_its_engine(storage):
    promote(storage, "default", "a")
    promote(storage, "default", "b", domain="medical")
    assert tamil(storage).stable == "a"
    assert traffic(storage).route(f"{TAMIL}/medical").stable == "b"


@pytest.mark.parametrize("domain", ["", "Medical", "a b", "-a", "a" * 41, "a/b"])
def test_a_domain_that_is_not_a_name_is_refused(storage, domain):
    with pytest.raises(InputError, match="--domain"):
        promote(storage, "default", "a", domain=domain)


def test_a_rollout_on_one_route_leaves_the_others_alone(storage):
    promote_all(storage, "ah")
    start_canary(storage, "default", "b", 10)
    promote(storage, "default", "h")
    assert tamil(storage).canary == "b"


# Canary and shadow


def test_a_canary_runs_beside_the_stable_engine(storage):
    promote(storage, "default", "a")
    start_canary(storage, "default", "b", 10)
    route = tamil(storage)
    assert (route.stable, route.canary, route.percent, route.step) == ("a", "b", 10, 0)
    assert route.rollout


def test_another_percentage_is_the_next_step_of_the_same_rollout(storage):
    promote(storage, "default", "a")
    first = start_canary(storage, "default", "b", 10).route()
    second = start_canary(storage, "default", "b", 50).route()
    third = start_canary(storage, "default", "b", 100).route()
    assert [second.rollout, third.rollout] == [first.rollout] * 2
    assert [(each.percent, each.step) for each in (second, third)] == [(50, 1), (100, 2)]


def test_the_same_percentage_again_is_not_a_step(storage):
    promote(storage, "default", "a")
    assert start_canary(storage, "default", "b", 10).route().step == 0
    assert start_canary(storage, "default", "b", 10).route().step == 0


def test_another_canary_is_another_rollout(storage):
    promote(storage, "default", "a")
    first = start_canary(storage, "default", "b", 50).route()
    start_canary(storage, "default", "b", 60)
    second = start_canary(storage, "default", "c", 10).route()
    assert (second.canary, second.percent, second.step) == ("c", 10, 0)
    assert second.rollout not in ("", first.rollout)


def test_a_canary_that_was_the_shadow_is_another_rollout(storage):
    promote(storage, "default", "a")
    shadow = start_shadow(storage, "default", "b").route()
    canary = start_canary(storage, "default", "b", 10).route()
    assert (shadow.shadow, canary.shadow, canary.canary) == ("b", None, "b")
    assert shadow.rollout != canary.rollout


def test_a_shadow_that_runs_already_goes_on(storage):
    promote(storage, "default", "a")
    first = start_shadow(storage, "default", "b").route()
    assert start_shadow(storage, "default", "b").route() == first


@pytest.mark.parametrize("start", [start_canary_at_10, start_shadow])
def test_the_share_that_both_engines_translate_is_5_percent_until_it_is_set(storage, start):
    promote(storage, "default", "a")
    assert start(storage, "default", "b").route().shadow_percent == 5
    assert start(storage, "default", "b", shadow_percent=20).route().shadow_percent == 20
    assert start(storage, "default", "b").route().shadow_percent == 20
    promote(storage, "default", "a")
    assert start(storage, "default", "c").route().shadow_percent == 5


def test_a_shadow_does_not_end_a_canary(storage):
    promote(storage, "default", "a")
    start_canary(storage, "default", "b", 10)
    with pytest.raises(InputError, match="engine b is a running canary"):
        start_shadow(storage, "default", "c")
    assert tamil(storage).canary == "b"


@pytest.mark.parametrize("start", [start_canary_at_10, start_shadow])
def test_the_stable_engine_is_neither_canary_nor_shadow(storage, start):
    promote(storage, "default", "a")
    with pytest.raises(InputError, match="engine a is the stable one"):
        start(storage, "default", "a")


@pytest.mark.parametrize("start", [start_canary_at_10, start_shadow])
def test_an_engine_of_a_pair_that_is_not_served_is_neither_canary_nor_shadow(storage, start):
    promote(storage, "default", "a")
    with pytest.raises(InputError, match=rf"engine h cannot be .*{HINDI}.* has only {TAMIL}"):
        start(storage, "default", "h")


@pytest.mark.parametrize("start", [start_canary_at_10, start_shadow])
def test_a_canary_or_shadow_before_any_promotion_says_what_to_run(storage, start):
    with pytest.raises(InputError, match="nmt promote"):
        start(storage, "default", "a")


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_percentage_out_of_range_is_refused(storage, percent):
    promote(storage, "default", "a")
    with pytest.raises(InputError, match="from 0 to 100"):
        start_canary(storage, "default", "b", percent)
    start_canary(storage, "default", "b", 0)
    with pytest.raises(InputError, match="from 0 to 100"):
        start_canary(storage, "default", "b", percent)


def test_promotion_of_the_canary_makes_it_stable_and_ends_the_rollout(storage):
    promote(storage, "default", "a")
    start_canary(storage, "default", "b", 50)
    assert promote_all(storage, "b") == Route(stable="b", previous=("a",))


@pytest.mark.parametrize("digest", ["a", "c"], ids=["the-stable-one", "another"])
def test_promotion_of_another_engine_ends_the_rollout(storage, digest):
    promote(storage, "default", "a")
    start_canary(storage, "default", "b", 20)
    route = promote_all(storage, digest)
    assert (route.stable, route.canary, route.percent, route.rollout) == (digest, None, 0, "")


def test_the_end_of_a_rollout_leaves_the_stable_engine_and_its_history(storage):
    promote_all(storage, "ab")
    start_shadow(storage, "default", "c")
    rollback(storage, "default")
    assert tamil(storage) == Route(stable="b", previous=("a",))
    with pytest.raises(InputError, match="neither a canary nor a shadow runs"):
        tamil(storage).with_rollout_ended()


# Rollback


def test_rollback_goes_back_to_the_engine_before(storage):
    promote_all(storage, "abc")
    done = rollback(storage, "default")
    assert (done.stable, done.ended, done.engine) == ("b", None, "c")
    assert tamil(storage) == Route(stable="b", previous=("a",))


@pytest.mark.parametrize(
    ("start", "ended"),
    [(lambda storage: start_canary(storage, "default", "c", 10), "canary"),
     (lambda storage: start_shadow(storage, "default", "c"), "shadow")],
)  # fmt: skip
def test_rollback_ends_a_rollout_before_it_leaves_the_stable_engine(storage, start, ended):
    promote_all(storage, "ab")
    start(storage)
    done = rollback(storage, "default")
    assert (done.stable, done.ended, done.engine) == ("b", ended, "c")
    assert rollback(storage, "default").stable == "a"


def test_rollbacks_go_back_as_far_as_promotions_went_on(storage):
    promote_all(storage, "abc")
    assert [rollback(storage, "default").stable for _ in range(2)] == ["b", "a"]


def test_rollback_without_any_promotion_says_what_to_run(storage):
    with pytest.raises(InputError, match="nmt promote"):
        rollback(storage, "default")


def test_rollback_from_the_first_engine_is_refused_and_changes_nothing(storage):
    promote(storage, "default", "a")
    before = traffic(storage)
    with pytest.raises(InputError, match="engine a is the first one served"):
        rollback(storage, "default")
    assert traffic(storage) == before


def test_rollback_to_an_engine_that_was_deleted_is_refused(storage):
    promote_all(storage, "ab")
    storage.delete(layout.engine("a"))
    with pytest.raises(InputError, match="engine a is not in"):
        rollback(storage, "default")
    assert tamil(storage) == Route(stable="b", previous=("a",))


def test_rollback_is_of_the_default_route_unless_another_is_named(storage):
    leave_engine(storage, "i", "hin_Deva")
    promote_all(storage, "abhi")
    assert rollback(storage, "default", route=HINDI).stable == "h"
    assert rollback(storage, "default").stable == "a"


def test_an_unknown_route_is_refused_with_a_list_of_those_that_exist(storage):
    promote_all(storage, "ah")
    with pytest.raises(InputError, match=rf"'eng-fra' is not a route .*{TAMIL}, {HINDI}"):
        rollback(storage, "default", route="eng-fra")


# Removal of a route


def test_a_removed_route_is_gone_and_the_others_stay(storage):
    promote_all(storage, "ah")
    remove_route(storage, "default", HINDI)
    assert list(traffic(storage).routes) == [TAMIL]


def test_after_the_default_route_the_oldest_other_one_is_the_default(storage):
    promote_all(storage, "ah")
    remove_route(storage, "default", TAMIL)
    assert (traffic(storage).default, list(traffic(storage).routes)) == (HINDI, [HINDI])


def test_the_only_route_is_not_removed(storage):
    promote(storage, "default", "a")
    with pytest.raises(InputError, match="is the only route"):
        remove_route(storage, "default", TAMIL)


# Engines that cannot be served


def test_an_engine_that_is_not_there_is_refused_and_changes_nothing(storage):
    promote(storage, "default", "a")
    with pytest.raises(InputError, match=f"engine nope is not in {storage.locate(layout.ENGINES)}"):
        promote(storage, "default", "nope")
    assert tamil(storage) == Route(stable="a")


def test_a_half_written_engine_is_refused(storage):
    storage.write_bytes(f"{layout.engine('half')}/engine.json", b"{}")
    with pytest.raises(InputError, match="engine half"):
        promote(storage, "default", "half")


@pytest.mark.parametrize("card", ["", "{}", '{"source_language": "en", "target_language": "ta"}'])
def test_an_engine_whose_languages_cannot_be_read_is_refused(storage, card):
    with storage.commit(layout.engine("d"), {"run": "mine"}) as folder:
        (folder / "engine.json").write_text(card)
    with pytest.raises(StorageError, match=r"engine\.json.*give `nmt export` run=mine"):
        promote(storage, "default", "d")


def test_endpoints_have_traffic_of_their_own(storage):
    promote(storage, "default", "a")
    promote(storage, "other", "b")
    other = read_traffic(storage, "other")
    assert (tamil(storage).stable, other and other.route().stable) == ("a", "b")


def test_a_dry_run_returns_what_would_be_and_writes_nothing(storage):
    promote(storage, "default", "a")
    before = storage.read_bytes(layout.traffic("default"))
    assert promote(storage, "default", "b", dry_run=True).route().stable == "b"
    assert start_canary(storage, "default", "b", 10, dry_run=True).route().canary == "b"
    assert storage.read_bytes(layout.traffic("default")) == before


def test_a_file_of_another_owner_is_not_changed(storage):
    promote(storage, "default", "a")
    change_traffic(
        storage,
        "default",
        lambda found: (found or traffic(storage)).model_copy(update={"owner": "campaign-7"}),
        owner="campaign-7",
    )
    with pytest.raises(InputError, match=r"belongs to 'campaign-7'.*delete the key `owner`"):
        promote(storage, "default", "b")
    change_traffic(storage, "default", lambda _: traffic(storage), owner="campaign-7")


# Keys


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        (TAMIL, ("eng_Latn", "tam_Taml", None)),
        (f"{TAMIL}/law-2", ("eng_Latn", "tam_Taml", "law-2")),
    ],
)
def test_a_key_names_the_languages_and_the_domain(key, parts):
    name = parse_route_key(key)
    assert (name.source_language, name.target_language, name.domain) == parts
    assert str(name) == key


@pytest.mark.parametrize("key", ["", "en-ta", "eng_Latn", f"{TAMIL}/", f"{TAMIL}/A", f"{TAMIL}\n"])
def test_a_text_that_is_not_a_key_is_refused(key):
    with pytest.raises(InputError, match="is not a route"):
        parse_route_key(key)
