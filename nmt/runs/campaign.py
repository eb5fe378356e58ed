"""What a campaign adds to the settings of a run unless the user has set it. Pure."""

from nmt.config import BASELINES, Config, LoadedConfig


def with_campaign_defaults(loaded: LoadedConfig) -> LoadedConfig:
    """Return the settings with the comparison of methods and baselines that a campaign makes.

    What is added counts as set by the user: a step must not inherit others from an earlier call.
    """
    config, changes = loaded.config, dict[str, object]()
    if "tune.methods" not in loaded.user_set:
        changes["tune.methods"] = compared_methods(config)
    if "evaluation.baselines" not in loaded.user_set:
        changes["evaluation.baselines"] = BASELINES
    return LoadedConfig(config.with_overrides(changes), loaded.user_set | changes.keys())


def compared_methods(config: Config) -> tuple[str, ...]:
    """Return the configured method and full fine-tuning, or LoRA where that is configured."""
    method = config.adapter.type
    return (method, "none") if method != "none" else ("lora", "none")
