"""A plan as aligned plain text."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict

from nmt.planning.plan import Plan


def render(plan: Plan) -> str:
    """Write the table, whether the training fits, and the setting to change."""
    lines = [f"{name:<24}{value:>12}  {unit}".rstrip() for name, value, unit in _rows(plan)]
    sizes = f"{plan.memory.total:.1f} of {plan.gpu.memory_gib:g} GiB"
    result = f"It fits: {sizes}." if plan.fits else f"It does not fit: {sizes}."
    return "\n".join([*lines, "", result, _advice(plan)]) + "\n"


def _rows(plan: Plan) -> Iterator[tuple[str, str, str]]:
    yield "GPU", plan.gpu.name, f"{plan.gpu.memory_gib:g} GiB; number of GPUs: {plan.workers}"
    share = plan.trained_parameters / plan.parameters
    yield "parameters", f"{plan.parameters / 1e6:.1f}", f"million, {share:.2%} trained"
    tokens = f"padded tokens, at most {plan.rows} rows of maximum length, {plan.precision}"
    yield "micro-batch", str(plan.micro_batch_tokens), tokens
    for part, gib in asdict(plan.memory).items():
        yield part.replace("_", " "), f"{gib:.2f}", "GiB"
    yield "memory in total", f"{plan.memory.total:.2f}", "GiB"
    step = plan.step
    network = f"seconds, {step.communication_seconds:.3f} of them in the network"
    yield "update", f"{step.seconds:.3f}", network
    hours = plan.gpu_hours / plan.workers
    yield "training", f"{hours:.2f}", f"hours for {plan.max_steps} updates, without validations"
    if plan.price_per_hour is None:
        yield "cost", f"{plan.gpu_hours:.2f}", "GPU-hours (plan.price_per_hour is not set)"
    else:
        yield "cost", f"{plan.gpu_hours * plan.price_per_hour:.2f}", "in plan.price_per_hour's unit"


def _advice(plan: Plan) -> str:
    """Name the setting to change, or how far the budget may be raised."""
    if plan.fits:
        return f"Largest that fits: training.micro_batch_tokens={plan.largest_micro_batch_tokens}"
    if not plan.changes:
        return "Nothing fits on this GPU type: choose a larger plan.gpu or a smaller model."
    # As words for the command line: `shlex` quotes those that a shell would take apart.
    words = [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in plan.changes.items()
    ]
    return f"Change: {shlex.join(words)}"
