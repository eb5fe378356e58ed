"""The settings of a revision: campaign and release together, and what a campaign may not set."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from pydantic import JsonValue

from k8s.objects.campaign.names import is_run_of_a_campaign
from k8s.objects.campaign.spec import CampaignSpec
from k8s.objects.release import Release
from nmt.config import Config, LoadedConfig, digest_of
from nmt.config.layers import flatten, merge
from nmt.config.root import RESERVED_RUNS
from nmt.errors import ConfigError
from nmt.runs.campaign import with_campaign_defaults
from nmt.runs.steps import campaign_steps
from nmt.storage import below

SECTIONS_OF_THE_RELEASE = ("storage", "run", "serving", "tracking", "provenance", "plan")
"""Keys that a campaign may not set: they decide where a release writes, and what it serves."""
_OUTSIDE = ("/", "~")
_MODEL = "model.name_or_path"


@dataclass(frozen=True, slots=True)
class RevisionSettings:
    """The settings of a campaign, as its next revision would have them."""

    loaded: LoadedConfig
    """With the defaults of a campaign; the run has no name yet."""
    inputs: str
    """Digest of the settings that change what a run makes."""
    data_paths: Mapping[str, str]
    """Key -> path of a corpus or a test set, relative to the storage of the release, or the name of
    a data set of the hub."""

    @property
    def config(self) -> Config:
        """Return the settings without the keys that were set."""
        return self.loaded.config

    @property
    def paths(self) -> Mapping[str, str]:
        """Return every key that names a path, the model's among them, with its value."""
        model = self.config.model
        return {**self.data_paths} | ({} if model.is_tiny else {_MODEL: model.name_or_path})


def revision_settings(release: Release, spec: CampaignSpec) -> RevisionSettings:
    """Read the settings of a campaign over the defaults of its release.

    Raises:
        ConfigError: the campaign sets what belongs to the release, names a path outside of its
            storage or one where runs are written, or has a setting that cannot be used; names the
            key, the value and the rule.
    """
    _check_sections(spec.config)
    _check_texts(release, spec.config)
    tree = merge(release.config, spec.config)
    origins = dict.fromkeys(flatten(release.config), f"the values of release {release.name}")
    origins |= dict.fromkeys(flatten(spec.config), "spec.config")
    loaded = LoadedConfig(Config.parse(tree, origins), frozenset(flatten(tree)))
    if loaded.config.campaign.promote:
        raise ConfigError(
            "spec.config.campaign.promote is true, but the rollout of a campaign decides that: "
            "leave it out, and set spec.config.rollout.mode"
        )
    inputs = _digest_of_inputs(loaded.config)
    settings = RevisionSettings(
        with_campaign_defaults(loaded), inputs, dict(_data_paths(loaded.config))
    )
    _check_paths(release, settings)
    return settings


def for_run(
    settings: RevisionSettings,
    release: Release,
    run: str,
    on_storage: Collection[str],
    earlier: Sequence[str] = (),
) -> LoadedConfig:
    """Complete the settings for the jobs of a run.

    Args:
        settings: of the campaign.
        release: where the paths are.
        run: name of the run.
        on_storage: those keys of `settings.paths` whose path is on the storage of the release; the
            others name something on the hub.
        earlier: runs whose finished steps are taken over, the newest first, unless the campaign
            names others.
    """
    changes: dict[str, object] = {"run": run}
    if "campaign.reuse" not in settings.loaded.user_set:
        changes["campaign.reuse"] = tuple(earlier)
    # Pods work in another folder, so a relative path means nothing there.
    changes |= {
        key: below(release.storage, path)
        for key, path in settings.paths.items()
        if key in on_storage
    }
    loaded = settings.loaded
    config = _with_paths(loaded.config, changes)
    return replace(loaded, config=config, user_set=loaded.user_set | {"run", "campaign.reuse"})


def _with_paths(config: Config, changes: Mapping[str, object]) -> Config:
    """Replace the paths, also those within a list of files."""
    whole: dict[str, Any] = {}
    flat = config.settings(*{key.partition("[")[0] for key in changes})
    for key, value in changes.items():
        name, bracket, index = key.partition("[")
        if bracket:
            parts = [*whole.get(name, flat[name])]
            parts[int(index.rstrip("]"))] = value
            whole[name] = parts
        else:
            whole[name] = value
    return config.with_overrides(whole)


def _check_sections(config: Mapping[str, Any]) -> None:
    """Refuse sections that belong to the release."""
    for key in SECTIONS_OF_THE_RELEASE:
        if key in config:
            instead = f"set config.{key} in the values of the release"
            if key == "run":
                instead = "the run of each revision gets its name from the campaign"
            elif key == "storage":
                instead = "its storage is that of the release"
            raise ConfigError(
                f"spec.config.{key} belongs to the release and not to a campaign: leave it out; "
                f"{instead}"
            )


def _check_texts(release: Release, config: dict[str, JsonValue]) -> None:
    """Refuse every text that would name a place outside of the release's storage."""
    for key, text in texts_of("spec.config", config):
        outside = text.strip().startswith(_OUTSIDE) or "://" in text
        if outside or ".." in text.replace("\\", "/").split("/"):
            raise ConfigError(
                f"{key} '{text}': a path in a campaign is relative to the storage of its release "
                f"and stays within it: put the file below {release.storage}, and write the path "
                "from there, such as corpora/corpus.tmx"
            )


def _check_paths(release: Release, settings: RevisionSettings) -> None:
    """Refuse every path at which the project itself writes."""
    root = PurePosixPath(release.storage)
    runs = PurePosixPath(below(release.storage, settings.config.storage))
    for key, path in settings.paths.items():
        place = root / path
        # The model is not looked at again: it may be one that another run has made.
        covers = root.is_relative_to(place) or runs.is_relative_to(place)
        if covers or (key != _MODEL and _is_written_by_runs(place, runs, root)):
            raise ConfigError(
                f"spec.config.{key} '{path}' takes in files of runs, which change with each "
                f"revision: put the data into a folder of its own below {release.storage}, and "
                "write the path from there, such as corpora/corpus.tmx"
            )


def _is_written_by_runs(place: PurePosixPath, runs: PurePosixPath, root: PurePosixPath) -> bool:
    """Tell whether the project writes at a place below the root of its runs."""
    if not place.is_relative_to(runs):
        return False
    if runs != root:
        return True
    first = place.relative_to(runs).parts[0]
    return first in RESERVED_RUNS or is_run_of_a_campaign(first)


def texts_of(key: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    """List every text of a tree, those of its keys too, with the dotted key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield key, name
            yield from texts_of(f"{key}.{name}", part)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from texts_of(f"{key}[{number}]", part)


def _digest_of_inputs(config: Config) -> str:
    """Compute the digest of the settings that change what the steps of a campaign make."""
    reads = {key for step in campaign_steps(config) for key in step.reads}
    defaults = Config().settings(*reads)
    # Only what differs from the defaults: a setting that a later release adds must not start a new
    # revision of every campaign.
    return digest_of(
        {
            key: value
            for key, value in config.settings(*reads).items()
            if key not in defaults or defaults[key] != value
        }
    )


def _data_paths(config: Config) -> Iterator[tuple[str, str]]:
    """List every setting that names a corpus or a test set, with its value."""
    data = config.data
    for field in type(data).model_fields:
        if field.endswith("path"):
            yield from _given(f"data.{field}", getattr(data, field))
    for name, corpus in data.corpora.items():
        yield from _given(f"data.corpora.{name}.path", corpus.path)
        yield from _given(f"data.corpora.{name}.target_path", corpus.target_path)
    for name, test_set in config.evaluation.sets.items():
        yield from _given(f"evaluation.sets.{name}.path", test_set.path)
        yield from _given(f"evaluation.sets.{name}.target_path", test_set.target_path)
    for name, system in config.evaluation.systems.items():
        for test_set, path in system.hypotheses.items():
            yield from _given(f"evaluation.systems.{name}.hypotheses.{test_set}", path)


def _given(key: str, value: str | tuple[str, ...] | None) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif value is not None:
        for number, path in enumerate(value):
            yield f"{key}[{number}]", path
