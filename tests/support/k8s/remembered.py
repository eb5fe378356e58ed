"""What an operator computes again and again in the schedules of faults, computed once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from k8s.objects.campaign.campaign import Campaign
from k8s.objects.release import KEY, Release
from k8s.operator import act, observe
from nmt.config import Config
from nmt.storage import RecordKind
from nmt.traffic import file as traffic_file


@contextmanager
def remembered(owner: Any, name: str, key: Callable[..., Any]) -> Iterator[None]:
    """Compute a pure function only once for the same arguments, which here takes most of the time.

    Args:
        owner: module or class that has it.
        name: of the function.
        key: makes from the arguments what two calls with the same result have in common.
    """
    real = getattr(owner, name)
    # With the arguments, so that no id is given to another object.
    known: dict[Any, tuple[Any, Any]] = {}

    def call(*words: Any) -> Any:
        found = key(*words)
        if found not in known:
            known[found] = (words, real(*words))
        return known[found][1]

    is_bound = hasattr(real, "__self__")  # of a class, which then is not an argument
    with mock.patch.object(owner, name, staticmethod(call) if is_bound else call):
        yield


@contextmanager
def pure_functions_remembered() -> Iterator[None]:
    """Remember the results of all pure functions of the operator that take long."""
    with (
        remembered(observe, "revision_settings", lambda release, spec: (id(release), repr(spec))),
        remembered(
            observe,
            "plan_jobs",
            lambda release, spec, config: (id(release), repr(spec), id(config)),
        ),
        remembered(
            act,
            "for_run",
            lambda settings, release, *words: (id(settings), id(release), repr(words)),
        ),
        remembered(
            act,
            "campaign_job",
            lambda release, campaign, spec, revision, planned, loaded, now: (
                (campaign.metadata.uid, repr(spec), revision, planned, id(loaded), now)
            ),
        ),
        remembered(RecordKind, "_parse", lambda kind, raw: (id(kind), raw)),
        remembered(traffic_file, "_parse", lambda storage, name, raw: raw),
        remembered(Campaign, "parse", lambda body: id(body)),
        remembered(Release, "parse", lambda data, where: data[KEY]),
        remembered(Config, "parse", lambda tree, origins=None: (id(tree), id(origins))),
    ):
        yield
