"""The rules of `nmt.config` that the chart repeats: both accept and refuse the same settings.

A rule that `Config` gets and the chart does not would show only when the endpoint does not start.
"""

from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import AfterValidator, BaseModel

from nmt.config import Config, root
from nmt.errors import ConfigError
from tests.support.chart.rendering import JsonObject, refusal, render

REFUSED: dict[str, tuple[JsonObject, str]] = {
    "unknown language": ({"data": {"source_language": "xx"}}, "'xx'"),
    "language in a script it lacks": ({"data": {"target_language": "hi-Latn"}}, "'hi-Latn'"),
    "one language": ({"data": {"source_language": "tam_Taml"}}, "source_language"),
    "one language by two codes": ({"data": {"source_language": "ta"}}, "tam_Taml"),
    "nothing to train on": ({"data": {"validation_fraction": 0.96}}, "validation_fraction (0.96)"),
    "fractions": ({"data": {"validation_fraction": 0.5, "test_fraction": 0.5}}, "test_fraction"),
    "target without source": ({"data": {"target_path": "a.ta"}}, "target_path"),
    "a corpus beside the corpora": (
        {"data": {"path": "a.tsv", "corpora": {"web": {"path": "b.tsv"}}}},
        "path and",
    ),
    "a corpus with the name of a split": (
        {"data": {"corpora": {"test": {"path": "a.tsv"}}}},
        "corpora.test has the name of a split",
    ),
    "a threshold for no score": (
        {"data": {"corpora": {"web": {"path": "a.tsv", "min_score": 0.5}}}},
        "min_score is set but score_column is not",
    ),
    "a test set with the name of a run's own": (
        {"evaluation": {"sets": {"test": {"path": "a.tsv"}}}},
        "sets.test has the name of a run's own set",
    ),
    "a test set in an unknown language": (
        {"evaluation": {"sets": {"news": {"path": "a.tsv", "target_language": "xx"}}}},
        "'xx'",
    ),
    "references named twice": (
        {
            "evaluation": {
                "sets": {
                    "news": {"path": "a", "target_path": ["b", "c"], "target_column": ["1", "2"]}
                }
            }
        },
        "name the references by one of them",
    ),
    "a system with the name of a run's own": (
        {"evaluation": {"systems": {"engine": {"run": "old"}}}},
        "systems.engine has the name of a run's own system",
    ),
    "a system with the name of a baseline": (
        {"evaluation": {"systems": {"few-shot": {"run": "old"}}}},
        "systems.few-shot has the name of a run's own system",
    ),
    "a system with the name of a variant": (
        {"evaluation": {"systems": {"variant-full": {"run": "old"}}}},
        "systems.variant-full has the name of a variant",
    ),
    "shares of clients that fall": (
        {"rollout": {"steps": [1, 50, 10, 100]}},
        "each share must be larger than the one before",
    ),
    "a last share below all": ({"rollout": {"steps": [1, 50]}}, "the last share must be 100"),
    "the text of a private key": (
        {"provenance": {"private_key": "-----BEGIN PRIVATE KEY-----"}},
        "is the text of a private key",
    ),
    "a private key as the public one": (
        {"serving": {"public_key": "-----BEGIN EC PRIVATE KEY-----"}},
        "is the text of a private key",
    ),
    "a system of two kinds": (
        {"evaluation": {"systems": {"old": {"run": "old", "endpoint": "default"}}}},
        "run and endpoint is set",
    ),
    "a system of no kind": ({"evaluation": {"systems": {"old": {}}}}, "none of them is set"),
    "hypotheses for an unknown test set": (
        {"evaluation": {"systems": {"google": {"hypotheses": {"news": "a.ta"}}}}},
        "names 'news', which is not a test set: the test sets are general, test",
    ),
    "warm-up": ({"training": {"warmup_steps": 10, "max_steps": 10}}, "warmup_steps (10)"),
    "warm-up by default": ({"training": {"max_steps": 20}}, "max_steps (20)"),
    "averaged beyond the kept": (
        {"training": {"average_checkpoints": 5, "keep_checkpoints": 4}},
        "average_checkpoints (5)",
    ),
    "averaged beyond the kept by default": (
        {"training": {"average_checkpoints": 3}},
        "keep_checkpoints (2)",
    ),
    "one process": ({"scaling": {"workers": 2}}, "scaling.workers (2)"),
    "two processes on one GPU": (
        {"scaling": {"workers": 2, "gpus_per_worker": 0.5}, "strategy": {"type": "ddp"}},
        "gpus_per_worker (0.5)",
    ),
    "offload of nothing": (
        {"strategy": {"type": "deepspeed", "zero_stage": 0, "offload": True}},
        "needs zero_stage 1, 2 or 3, which partition the optimizer state",
    ),
    "replicas": ({"serving": {"min_replicas": 3, "max_replicas": 2}}, "min_replicas (3)"),
    "replicas by default": ({"serving": {"min_replicas": 3}}, "max_replicas (2)"),
    "grace": ({"tune": {"grace_steps": 700}}, "grace_steps (700)"),
    "a grid of ranges": ({"tune": {"sampler": "grid"}}, "training.learning_rate"),
    "a population without rates": (
        {
            "tune": {
                "scheduler": "pbt",
                "space": {"seed": {"type": "choice", "values": [1]}},
            }
        },
        "scheduler=pbt changes training.learning_rate",
    ),
    "a method twice": ({"tune": {"methods": ["lora", "lora"]}}, "names a method twice"),
    "a space of a method that is not searched": (
        {"tune": {"method_space": {"none": {"seed": {"type": "choice", "values": [1]}}}}},
        "method_space has none",
    ),
    "a method as a setting": (
        {"tune": {"space": {"adapter.type": {"type": "choice", "values": ["none"]}}}},
        "adapter.type",
    ),
    "a descending range of a method": (
        {
            "tune": {
                "methods": ["lora"],
                "method_space": {
                    "lora": {"adapter.alpha": {"type": "uniform", "low": 2, "high": 1}}
                },
            }
        },
        "low (2",
    ),
    "grace by default": ({"tune": {"max_steps": 100}}, "max_steps (100)"),
    "range": (
        {"tune": {"space": {"adapter.alpha": {"type": "uniform", "low": 2, "high": 1}}}},
        "low (2",
    ),
    "range of one": (
        {"tune": {"space": {"adapter.alpha": {"type": "uniform", "low": 2, "high": 2}}}},
        "must be below high",
    ),
    "logarithm": (
        {"tune": {"space": {"adapter.alpha": {"type": "loguniform", "low": 0, "high": 1}}}},
        "logarithmic scale",
    ),
    **{f"reserved run {name}": ({"run": name}, name) for name in root.RESERVED_RUNS},
    "a password in an address": (
        {"tracking": {"mlflow_uri": "https://me:secret@mlflow.example"}},
        "contains credentials, which would appear in logs",
    ),
    **{
        f"a private key as {section}.{key}": (
            {section: {key: "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n"}},
            "is the text of a private key",
        )
        for section, key in (("provenance", "private_key"), ("serving", "public_key"))
    },
    "empty model": ({"model": {"name_or_path": " "}}, "is empty"),
    "tied matrix": ({"adapter": {"target_modules": ["q_proj", "lm_head"]}}, "lm_head"),
    "no layers": ({"adapter": {"target_modules": []}}, "at least one linear layer"),
}

TAKEN: dict[str, JsonObject] = {
    "no warm-up": {"training": {"warmup_steps": 0, "max_steps": 1}},
    "other codes of languages": {
        "data": {"source_language": "EN-us", "target_language": "zh-Hant"}
    },
    "one language in two scripts": {
        "data": {"source_language": "ace-Latn", "target_language": "ace_Arab_ID"}
    },
    "nothing cut off": {"data": {"validation_fraction": 0, "test_fraction": 0.99}},
    "offload": {"strategy": {"type": "deepspeed", "offload": True}},
    "two processes": {"scaling": {"workers": 2}, "strategy": {"type": "ddp"}},
    "both sides": {"data": {"path": "a.en", "target_path": "a.ta"}},
    "several corpora": {
        "data": {
            "corpora": {"web": {"path": "a.tsv", "score_column": "1", "min_score": 0, "weight": 2}}
        }
    },
    "test sets and systems": {
        "evaluation": {
            "sets": {"news": {"path": "a.en", "target_path": ["a.ta", "b.ta"]}},
            "systems": {"google": {"hypotheses": {"news": "c.ta"}}, "old": {"run": "old"}},
        }
    },
    "unset": {"data": {"path": None, "max_pairs": None}},
    "a grid of choices": {
        "tune": {"sampler": "grid", "space": {"seed": {"type": "choice", "values": [1]}}}
    },
    "methods": {
        "tune": {
            "methods": ["lora", "none"],
            "method_space": {"none": {"seed": {"type": "choice", "values": [1]}}},
        }
    },
    "grace to the end": {"tune": {"grace_steps": 600}},
    "another space": {"tune": {"space": {"adapter.rank": {"type": "choice", "values": [8]}}}},
    "all kept are averaged": {"training": {"average_checkpoints": 2}},
    "no adapter": {"adapter": {"type": "none"}},
}

# Each rule of the settings, and a row of REFUSED that shows its twin in the chart.
REPEATED = {
    "Config._not_reserved": "reserved run engines",
    "Config._strategy_fits_workers": "one process",
    "CorpusConfig._check_score": "a threshold for no score",
    "DataConfig._check": "nothing to train on",
    "DataConfig._flores_code": "unknown language",
    "DeepspeedStrategy._has_partitions": "offload of nothing",
    "EvaluationConfig._check_names": "a test set with the name of a run's own",
    "Ia3Adapter.target_modules": "tied matrix",
    "LoraAdapter.target_modules": "tied matrix",
    "ModelConfig._not_empty": "empty model",
    "OftAdapter.target_modules": "tied matrix",
    "QloraAdapter.target_modules": "tied matrix",
    "ProvenanceConfig._is_path": "the text of a private key",
    "RolloutConfig._check_steps": "shares of clients that fall",
    "ScalingConfig._one_gpu_each": "two processes on one GPU",
    "ServingConfig._check": "replicas",
    "ServingConfig._is_public": "a private key as the public one",
    "SystemConfig._check_one": "a system of two kinds",
    "TestSetConfig._check_references": "references named twice",
    "TestSetConfig._flores_code": "a test set in an unknown language",
    "TrackingConfig._no_credentials": "a password in an address",
    "TrainingConfig._check": "warm-up",
    "TuneConfig._are_distinct": "a method twice",
    "TuneConfig._check": "grace",
    "Uniform._check": "range",
}

WITHOUT_TWIN = {
    "Config._fill_default_types",  # refuses nothing
    "DataConfig._inherit_cleaning",  # refuses nothing
    "DeepspeedStrategy._number",  # refuses nothing
    "TuneConfig._are_read_by_trials",  # the schema says it
    "TuneConfig._is_read_by_trials",  # the schema says it
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_chart_refuses_what_the_settings_refuse(name):
    config, fragment = REFUSED[name]
    with pytest.raises(ConfigError) as by_config:
        Config.parse(config)
    by_chart = refusal({"config": config})
    assert fragment in str(by_config.value)
    assert fragment in by_chart
    assert "config." in by_chart


@pytest.mark.parametrize("name", TAKEN)
def test_the_chart_accepts_what_the_settings_accept(name):
    Config.parse(TAKEN[name])
    render({"config": TAKEN[name]})


def sections(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield every section of a type, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from sections(field.annotation)
    for part in get_args(annotation):
        yield from sections(part)


def rules(section: type[BaseModel]) -> Iterator[str]:
    """Yield the rules of a section that a JSON schema cannot express."""
    decorators = section.__pydantic_decorators__
    for name in [*decorators.model_validators, *decorators.field_validators]:
        yield f"{section.__name__}.{name}"
    for name, field in section.model_fields.items():
        if any(isinstance(part, AfterValidator) for part in field.metadata):
            yield f"{section.__name__}.{name}"


def test_every_rule_of_the_settings_is_also_in_the_chart():
    """A new rule must be added to `checks/_config.tpl` and to the tables above."""
    found = {rule for section in sections(Config) for rule in rules(section)}
    assert found == {*REPEATED, *WITHOUT_TWIN}
    assert set(REPEATED.values()) <= set(REFUSED)


def test_several_problems_are_reported_at_once():
    config = {"training": {"max_steps": 20}, "serving": {"min_replicas": 3}}
    message = refusal({"config": config})
    assert "config.training.warmup_steps" in message
    assert "config.serving.min_replicas" in message
