"""How many updates TPE with ASHA needs to reach the best score of a whole grid.

    nmt prepare --config configs/quickstart.yaml run=searched
    nmt base --config configs/quickstart.yaml run=searched
    python benchmarks/search.py runs searched

Every setting of the grid is trained once, in this process, and its scores are kept in a file beside
the results. A training depends on its settings alone, so a search that tries the same settings gets
the same scores: the searches are replayed from the file by the sampler and the scheduler of `nmt
tune`, one trial at a time, with several seeds. A second call trains only what the file lacks.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from ray.tune.schedulers import TrialScheduler

from nmt.config import Choice, Config, digest_of, load_config
from nmt.runs.tuning import TrialSettings
from nmt.storage import Storage
from nmt.training.trainer import run_training
from ray_jobs.search.methods import MethodSearch, objective_of
from ray_jobs.search.sampler import MethodSampler
from ray_jobs.search.scheduler import MethodScheduler
from ray_jobs.search.trial_training import trial_job

ROOT = Path(__file__).parent.parent
GRID = {
    "training.learning_rate": (5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2),
    "adapter.rank": (4, 16),
    "adapter.alpha": (16, 64),
}
RESULTS = Path(__file__).parent / "results" / "search.json"
STEPS, GRACE = 96, 24
"""Updates of a whole trial, and before the first rung."""

MOST = 0.35
"""Share of the grid's updates that the searches may need on average."""

Curve = list[dict[str, float]]
Curves = Mapping[str, Curve]
"""Digest of the settings -> the validations of their trial."""


def main() -> int:
    """Train the grid, replay the searches, and compare their updates with the grid's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("storage", help="storage root of the run")
    parser.add_argument("run", help="a run with prepared data and a base")
    parser.add_argument("--metric", default="chrf++", help="training.validation_metric")
    parser.add_argument("--seeds", type=int, default=5, help="number of searches")
    parser.add_argument("--within", type=float, default=0.0, help="points that count as equal")
    parser.add_argument("--reduction-factor", type=int, default=3, help="tune.reduction_factor")
    parser.add_argument("--curves", type=Path, default=Path("search_curves.json"))
    options = parser.parse_args()
    config = _config(options)
    curves = _train_grid(config, Storage(options.storage), options.curves)
    return _report(config, curves, options.seeds, options.within)


def _config(options: argparse.Namespace) -> Config:
    """Return the settings that all trials share."""
    space = {key: {"type": "choice", "values": list(values)} for key, values in GRID.items()}
    return load_config(
        [ROOT / "configs" / "quickstart.yaml"],
        [
            f"storage={options.storage}",
            f"run={options.run}",
            f"training.max_steps={STEPS}",
            f"training.evaluate_every_steps={GRACE}",
            f"training.validation_metric={options.metric}",
            "training.validation_sentences=40",
            f"tune.max_steps={STEPS}",
            f"tune.grace_steps={GRACE}",
            f"tune.reduction_factor={options.reduction_factor}",
            f"tune.space={json.dumps(space)}",
        ],
    )


def _settings() -> Iterator[TrialSettings]:
    """List the settings of the grid."""
    for values in product(*GRID.values()):
        yield dict(zip(GRID, values, strict=True))


def _train_grid(config: Config, storage: Storage, file: Path) -> Curves:
    """Train what the file lacks, and return the scores of all settings."""
    torch.set_num_threads(1)
    curves: dict[str, Curve] = json.loads(file.read_text()) if file.exists() else {}
    for number, settings in enumerate(_settings(), 1):
        if digest_of(settings) in curves:
            continue
        outcome = run_training(trial_job(config, storage, settings))
        if not outcome.finished:
            raise KeyboardInterrupt
        curves[digest_of(settings)] = [dict(point) for point in outcome.state.curve]
        file.write_text(json.dumps(curves, indent=1))
        print(number, settings, f"{outcome.state.best_score:.2f}", flush=True)
    return curves


def _report(config: Config, curves: Curves, seeds: int, within: float) -> int:
    """Print the updates of the grid and of each search, and return 1 where a search needs more."""
    total = STEPS * len(list(_settings()))
    best = max(point["score"] for curve in curves.values() for point in curve)
    print(f"grid: {len(curves)} settings, {total} updates, best {best:.2f}")
    searches = [_search(config, curves, seed, best - within) for seed in range(1, seeds + 1)]
    for seed, found in enumerate(searches, 1):
        end = "as good" if found.reached else "never as good, its setting was cut,"
        print(f"seed {seed}: {end} after {found.trials} trials, {found.updates / total:.0%}")
    share = statistics.mean(found.updates for found in searches) / total
    reached = sum(found.reached for found in searches)
    print(f"{reached} of {seeds} searches reached it, mean {share:.3f} of the grid's updates")
    results = {"settings": len(curves), "updates": total, "best": best, "within": within}
    results |= {"searches": [asdict(found) for found in searches]}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    return int(share > MOST or reached < seeds)


@dataclass(frozen=True, slots=True)
class Search:
    """What a search took until it was as good as the grid, or until all was tried."""

    reached: bool
    trials: int
    updates: int


def _search(config: Config, curves: Curves, seed: int, goal: float) -> Search:
    """Search until a trial reaches a score."""
    space = {key: Choice(values=values) for key, values in GRID.items()}
    search = MethodSearch({"lora": MethodSampler(space, seed, "tpe")})
    scheduler, updates = MethodScheduler(config), 0
    for number in range(1, len(curves) + 1):
        settings = search.suggest(str(number))
        trial: Any = SimpleNamespace(trial_id=str(number), config=settings)
        scheduler.on_trial_add(None, trial)
        made, result = 0, dict[str, Any]()
        for point in curves[digest_of(settings)]:
            result = objective_of(config.training.validation_metric, point)
            made = int(point["step"])
            if point["score"] >= goal:
                return Search(True, number, updates + made)
            search.on_trial_result(str(number), result)
            if scheduler.on_trial_result(None, trial, result) == TrialScheduler.STOP:
                break
        updates += made
        scheduler.on_trial_complete(None, trial, result)
        search.on_trial_complete(str(number), result)
    return Search(False, len(curves), updates)


if __name__ == "__main__":
    sys.exit(main())
