"""A training's bar on the terminal of the command that waits for it."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ray.exceptions import RayError
from ray.experimental import tqdm_ray

_LOOK_EVERY_SECONDS = 0.5


@contextmanager
def step_bar(name: str, steps: int, reached: Callable[[], int]) -> Iterator[None]:
    """Draw steps of `steps` while the block runs; without a terminal the log's lines have to do.

    Ray hides the bar while it prints a line of a worker, hence its own kind.
    """
    if not sys.stderr.isatty():
        yield
        return
    over = threading.Event()
    drawing = threading.Thread(target=_draw, args=(name, steps, reached, over), daemon=True)
    drawing.start()
    try:
        yield
    finally:
        over.set()
        drawing.join()


def _draw(name: str, steps: int, reached: Callable[[], int], over: threading.Event) -> None:
    bar: tqdm_ray.tqdm | None = None
    at, last_look = 0, False
    with suppress(RayError):  # Ray may end before this does
        while not last_look:
            last_look = over.wait(_LOOK_EVERY_SECONDS)
            step = reached()
            if step and bar is None:
                bar = tqdm_ray.tqdm(desc=name, total=steps, unit="steps", flush_interval_s=0)
            if bar is not None:
                bar.update(step - at)
                at = step
    if bar is not None:
        bar.close()
