"""As much of Ray Tune's trials as sampler, scheduler and log look at, without Tune."""

from typing import Any, cast

from ray.tune.experiment import Trial as TuneTrial

from ray_jobs.search.trials import TrialLog


class FakeTrial:
    """One trial of Tune."""

    error_file = None

    def __init__(
        self, config: dict[str, Any], error: Exception | None = None, trial_id: str = ""
    ) -> None:
        self.trial_id, self.config, self.error = trial_id, config, error

    def get_error(self) -> Exception | None:
        """Return what the trial raised."""
        return self.error


def follow(log: TrialLog, sample: dict[str, Any], *points: tuple[int, float]) -> TuneTrial:
    """Start a trial and report these steps and scores."""
    trial = cast(TuneTrial, FakeTrial(sample))
    log.on_trial_start(0, [], trial)
    for step, bleu in points:
        log.on_trial_result(0, [], trial, {"step": step, "bleu": bleu})
    return trial


def complete(log: TrialLog, sample: dict[str, Any], *points: tuple[int, float]) -> None:
    """Make a trial from its start to its end."""
    log.on_trial_complete(0, [], follow(log, sample, *points))


def fail(log: TrialLog, sample: dict[str, Any], error: Exception | None) -> None:
    """Make a trial that raises at once."""
    trial = cast(TuneTrial, FakeTrial(sample, error))
    log.on_trial_start(0, [], trial)
    log.on_trial_error(0, [], trial)
