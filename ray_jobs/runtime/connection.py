"""The connection to Ray: a cluster that is there, or a private one for this command."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import ray
from ray._raylet import AuthenticationTokenLoader  # pyright: ignore[reportAttributeAccessIssue]
from ray.exceptions import RayTaskError
from ray.job_config import JobConfig
from typing_extensions import override

from nmt.cli.signals import restored_handlers, stop_signals
from nmt.config import Config
from nmt.errors import InputError, NmtError, PreemptedError, UnavailableError
from nmt.storage import Storage
from ray_jobs.runtime.address import ray_address, ray_connection_error
from ray_jobs.runtime.context import Session
from ray_jobs.runtime.logs import quiet_libraries, quiet_ray, setup_logging
from ray_jobs.runtime.module_path import own_folder
from ray_jobs.runtime.private_ray import (
    OBJECT_STORE_BYTES,
    folder_of_objects,
    folder_of_ray,
    own_environment,
)
from ray_jobs.runtime.serve_environment import endpoint_environment
from ray_jobs.runtime.storage_location import absolute_storage, check_shared

T = TypeVar("T")
log = logging.getLogger(__name__)


class _JobConfig(JobConfig):
    """A job whose workers look for modules where their own interpreter does.

    Ray would put the working folder and the script's in front of that, unless the job has sent a
    folder of its own: what a user keeps there would replace installed modules.
    """

    @override
    def _runtime_env_has_working_dir(self) -> bool:
        return True


@contextmanager
def connect(config: Config) -> Iterator[None]:
    """Join the cluster that $RAY_ADDRESS names, or start a private one and stop it at the end.

    Raises:
        UnavailableError: the named cluster cannot be used, or no private one can be started.
        ConfigError: a storage folder that not all nodes share.
        InputError: GPUs are asked for and this machine has none.
    """
    if ray.is_initialized():
        yield
        return
    address = ray_address()
    try:
        if address is None:
            _start_private(config)
        else:
            _join(address)
        alive = sum(1 for node in ray.nodes() if node["Alive"])
        check_shared(absolute_storage(config), alive)
        if address is None:
            _check_gpus(config)
        yield
    finally:
        ray.shutdown()
        _forget_token()


def _forget_token() -> None:
    """Let Ray read the token again, which it keeps for the life of a process and of every Ray."""
    AuthenticationTokenLoader.instance().reset_cache()


def _join(address: str) -> None:
    fault = ray_connection_error(address)
    if fault:
        raise UnavailableError(str(fault))
    try:
        _init(address=address)
    except Exception as error:  # of many kinds, and none of them a fault of this project
        raise UnavailableError(f"RAY_ADDRESS={address} cannot be used: {_line(error)}") from None


def _start_private(config: Config) -> None:
    # A laptop with fewer cores than workers shares its cores rather than wait for ever.
    workers = config.scaling.workers * config.scaling.cpus_per_worker + 1
    endpoint = config.serving.max_replicas * config.serving.cpus_per_replica + 1
    trials = config.tune.max_concurrent * config.tune.workers_per_trial
    cpus = max(os.cpu_count() or 1, workers, endpoint, trials)
    folder = folder_of_ray()
    start = partial(
        _init,
        address="local",
        num_cpus=int(cpus),
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        _temp_dir=folder,
        _plasma_directory=folder_of_objects(folder),
    )
    _forget_token()
    try:
        with own_environment(ray.util.get_node_ip_address(), endpoint_environment(config.serving)):
            _try_twice(start)
    except Exception as error:
        raise UnavailableError(
            f"Ray cannot be started on this machine: {_line(error)}; its logs are in "
            f"{folder}/session_latest/logs, and RAY_TMPDIR names another folder for its files"
        ) from None


def _try_twice(start: Callable[[], None]) -> None:
    """Start Ray, once more if a process of it did not come up in the time that Ray gives it."""
    try:
        start()
    except Exception as error:
        # Its first process rarely hangs or dies before its log begins; the next one does not.
        # What hangs ends with this process, and Ray starts anew beside it.
        if "timed out" not in str(error).lower():
            raise
        log.warning("Ray did not start (%s): trying once more", _line(error))
        start()


def _init(**options: Any) -> None:  # noqa: ANN401 - those of `ray.init`
    """Call `ray.init`, then restore this process's handlers and pass on a signal that arrived."""
    # Ray installs a handler of SIGTERM, which would end the process without our clean-up.
    job = _JobConfig(_py_driver_sys_path=own_folder())
    quiet_ray()
    with restored_handlers([signal.SIGTERM]), stop_signals() as arrived:
        try:
            ray.init(job_config=job, logging_level=logging.ERROR, log_to_driver=True, **options)
        except SystemExit:  # what that handler makes of a signal
            arrived.append(signal.SIGTERM)
        except (Exception, KeyboardInterrupt):
            if not arrived:
                raise
    # Ray may only log an interruption, such as one inside its optional imports, and go on.
    if arrived:
        signal.raise_signal(arrived[0])


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _check_gpus(config: Config) -> None:
    there = ray.cluster_resources().get("GPU", 0)
    asked = config.scaling.workers * config.scaling.gpus_per_worker
    if asked > there:
        raise InputError(
            f"scaling asks for {asked:g} GPUs and this machine has {there:g}: "
            "set scaling.gpus_per_worker=0, or RAY_ADDRESS to a cluster that has them"
        )


def on_worker(session: Session, work: Callable[..., T], **given: object) -> T:
    """Run a function on one worker of the cluster, with the CPUs and GPUs of a training worker.

    Args:
        session: the settings and the storage root, which the function gets first.
        work: the function, after which Ray names the task, and so the lines of its log.
        given: what the function gets by name beside them.

    Raises:
        NmtError: the one that was raised on the worker.
    """
    config = session.config
    task = ray.remote(_on_worker).options(
        name=getattr(work, "__name__", "work"),
        num_cpus=config.scaling.cpus_per_worker,
        num_gpus=config.scaling.gpus_per_worker,
        max_retries=config.scaling.max_failures,
        retry_exceptions=[PreemptedError],  # as a worker that was killed
    )
    try:
        with connect(config):
            return ray.get(task.remote(config, session.storage, work, given))
    except RayTaskError as error:
        raise cause_of(error) from None


def _on_worker(
    config: Config, storage: Storage, work: Callable[..., T], given: Mapping[str, object]
) -> T:
    prepare_worker(config)
    return work(config, storage, **given)


def prepare_worker(config: Config) -> None:
    """Set up the logging and the threads of a worker process, before its other heavy imports."""
    if config.adapter.type != "qlora" and "qlora" not in config.tune.methods:
        # peft imports it wherever it is installed, which takes longer than the rest of peft.
        sys.modules.setdefault("bitsandbytes", None)  # pyright: ignore[reportArgumentType]
    import torch  # a command that only reads settings must not pay for this

    setup_logging()
    quiet_libraries()
    torch.set_num_threads(max(1, int(config.scaling.cpus_per_worker)))


def cause_of(error: BaseException) -> BaseException:
    """Find the error of this project inside Ray's wrappers; else return the error itself."""
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
