"""The connection to Ray: a cluster that is there, or a private one for this command."""

import logging
import os
import random
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from nmt.config import Config
from nmt.errors import InputError, NmtError, StoppedError, UnavailableError
from nmt.reach import fault_of_address, split_address
from nmt.storage import Storage
from ray_jobs.logs import quiet_libraries, setup_logging
from ray_jobs.place import absolute_storage, check_shared
from ray_jobs.session import Session

T = TypeVar("T")

_OWN_PORTS = (20_000, 32_768)


@contextmanager
def connect(config: Config) -> Iterator[None]:
    """Join the cluster that $RAY_ADDRESS names, or start a private one and stop it at the end.

    Raises:
        UnavailableError: the named cluster does not answer.
        ConfigError: a storage folder that not all nodes share.
        InputError: GPUs are asked for and this machine has none.
    """
    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS")
    if address:
        _check_answers(address)
    _start(address, _options(config, address))
    try:
        alive = sum(1 for node in ray.nodes() if node["Alive"])
        check_shared(absolute_storage(config), alive)
        if not address:
            _check_gpus(config)
        yield
    finally:
        ray.shutdown()
        if not address:
            os.environ.pop("RAY_API_SERVER_ADDRESS", None)


def _start(address: str | None, options: dict[str, Any]) -> None:
    """`ray.init`, and SIGTERM is ours again: Ray has put its own handlers there meanwhile."""
    on_sigterm = signal.getsignal(signal.SIGTERM)
    terminated = False
    try:
        ray.init(**options)
    except (ConnectionError, RuntimeError, RayError) as error:
        raise UnavailableError(
            f"Ray at {address or 'this machine'} cannot be used: {error}"
        ) from None
    except SystemExit:  # what those handlers make of a signal
        terminated = True
        ray.shutdown()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)
    if terminated:
        signal.raise_signal(signal.SIGTERM)


def _check_answers(address: str) -> None:
    """Knock before Ray does: it would go on trying for minutes.

    Raises:
        UnavailableError: nothing listens there.
    """
    host, port = split_address(address)
    if port is None:
        return  # `auto` and the like: Ray looks it up on this machine
    fault = fault_of_address(host, port)
    if fault:
        raise UnavailableError(
            f"RAY_ADDRESS={address}: nothing answers there ({fault}); start the cluster, or unset "
            "RAY_ADDRESS for a private Ray"
        )


def _options(config: Config, address: str | None) -> dict[str, Any]:
    common: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": True}
    if address:
        return {"address": address, **common}
    # A laptop with fewer cores than workers shares its cores rather than wait for ever.
    workers = config.scaling.workers * config.scaling.cpus_per_worker + 1
    endpoint = config.serving.max_replicas * config.serving.cpus_per_replica + 1
    dashboard_port = _free_port()
    # Inherited by every process of this Ray: where several run on one machine, Ray Train's own
    # helpers would otherwise ask whichever they find first.
    os.environ["RAY_API_SERVER_ADDRESS"] = f"http://127.0.0.1:{dashboard_port}"
    return {
        "address": "local",
        "dashboard_port": dashboard_port,
        "num_cpus": int(max(os.cpu_count() or 1, workers, endpoint, config.tune.max_concurrent)),
        # Without it Ray Train cannot see its own controller, and complains every second.
        "include_dashboard": True,
        **common,
    }


def _free_port() -> int:
    """One that no system hands out by itself.

    Ray's other processes take theirs from those, before the dashboard does.
    """
    ports = range(*_OWN_PORTS)
    for port in random.SystemRandom().sample(ports, len(ports)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise UnavailableError(f"no free port from {_OWN_PORTS[0]} on, for the dashboard of Ray")


def _check_gpus(config: Config) -> None:
    there = ray.cluster_resources().get("GPU", 0)
    asked = config.scaling.workers * config.scaling.gpus_per_worker
    if asked > there:
        raise InputError(
            f"scaling asks for {asked:g} GPUs and this machine has {there:g}: "
            "set scaling.gpus_per_worker=0, or RAY_ADDRESS to a cluster that has them"
        )


def on_worker(session: Session, work: Callable[[Config, Storage], T]) -> T:
    """Run a function on one worker of the cluster, with the CPUs and GPUs of a training worker.

    Raises:
        NmtError: the one that was raised on the worker.
    """
    config = session.config
    task = ray.remote(_on_worker).options(
        name=getattr(work, "__name__", "work"),
        num_cpus=config.scaling.cpus_per_worker,
        num_gpus=config.scaling.gpus_per_worker,
        max_retries=config.scaling.max_failures,
        retry_exceptions=[StoppedError],  # as a worker that was killed
    )
    try:
        with connect(config):
            return ray.get(task.remote(config, session.storage, work))
    except RayTaskError as error:
        raise cause_of(error) from None


def _on_worker(config: Config, storage: Storage, work: Callable[[Config, Storage], T]) -> T:
    prepare_worker(config)
    return work(config, storage)


def prepare_worker(config: Config) -> None:
    """Logging and threads of a worker process."""
    import torch  # a command that only reads settings must not pay for this

    setup_logging()
    quiet_libraries()
    torch.set_num_threads(max(1, int(config.scaling.cpus_per_worker)))


def cause_of(error: BaseException) -> BaseException:
    """The error of this project inside Ray's wrappers, or the error itself."""
    seen: set[int] = set()
    queue: list[BaseException] = [error]
    while queue:
        current = queue.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        # Ray makes a class that is both its own and the cause's: the bare cause is wanted.
        if isinstance(current, NmtError) and not isinstance(current, RayTaskError):
            return current
        failures = getattr(current, "worker_failures", None)
        if isinstance(failures, dict):
            queue.extend(failures.values())
        nested = (getattr(current, "cause", None), current.__cause__, current.__context__)
        queue.extend(e for e in nested if isinstance(e, BaseException))
    return error
