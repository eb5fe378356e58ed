"""What the commands of `nmt-k8s` do."""

import argparse
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from k8s.api.cluster import RAY_JOB, Cluster
from k8s.cli.campaign_actions import ask_campaign
from k8s.cli.doctor import answer_findings, run_doctor
from k8s.cli.jobs import cancel, list_jobs, show_job, write_pod_log
from k8s.cli.keys import WithoutAnswer, explain_unknown_end, show_new_key, with_secret
from k8s.cli.output import Clock, Output
from k8s.cli.status import show_release
from k8s.cli.storage_access import run_for_release
from k8s.cli.storage_commands import StorageCommand, open_storage, run_on_storage
from k8s.cli.storage_probe import check_root, probe_storage
from k8s.cli.submit import SubmitOptions, choose_steps, plan_submission, submit
from k8s.cli.wait import JobWaiter, with_problem
from k8s.objects.manifests import submittable_steps
from k8s.objects.storage_location import storage_root
from k8s.observe.job_status import JobState, read_job_status
from k8s.observe.lookup import Target, find_job, find_release, run_of
from nmt.access.options import KEYS, key_command
from nmt.cli.diagnostics import Finding
from nmt.cli.traffic_options import promotion_options
from nmt.cli.translation import (
    BASE_SETTINGS,
    TRANSLATE,
    TranslationOptions,
    translation_options,
)
from nmt.config import LoadedConfig, load_with_user_set
from nmt.config.layers import merge
from nmt.errors import ClusterError, InputError
from nmt.provenance.keys import with_public_key_text
from nmt.traffic.promotion import checked_options

Connect = Callable[[str | None, str | None], Cluster]
"""Connects to the cluster of a context and namespace."""


class Session:
    """A call of the command: its options, and the cluster that it connects to when needed."""

    def __init__(self, options: argparse.Namespace, connect: Connect, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.output = Output(options.output)
        self._connect = connect
        # Random, because two users may submit the same step of the same run.
        self.suffix = secrets.token_hex(3)

    def cluster(self) -> Cluster:
        """Connect to the cluster that the options name."""
        return self._connect(self.options.context, self.options.namespace)

    def target(self) -> Target:
        """Find the release that the options name, or the only one."""
        cluster = self.cluster()
        return Target(cluster, find_release(cluster, self.options.release))

    def load_config(
        self, target: Target | None = None, defaults: Mapping[str, Any] = {}
    ) -> LoadedConfig:
        """Read the settings: some defaults, and above them those of the release and the user."""
        base: tuple[str, Mapping[str, Any]] = ("", {})
        if target:
            tree = merge(defaults, target.release.config)
            base = (f"the values of release {target.release.name}", tree)
        return load_with_user_set(self.options.config, self.options.overrides, base=base)

    def only_operand(self, what: str) -> str:
        """Return the only word that is not a setting.

        Raises:
            InputError: there is no such word, or more than one.
        """
        if len(self.options.operands) != 1:
            given = " ".join(self.options.operands) or "nothing"
            raise InputError(f"{self.options.command}: give one {what}; given: {given}")
        return self.options.operands[0]

    def no_operands(self) -> None:
        """Refuse words that are not settings.

        Raises:
            InputError: names the first such word.
        """
        if self.options.operands:
            word = self.options.operands[0]
            raise InputError(f"{self.options.command}: '{word}' is not a setting: write key=value")


def _submit(session: Session) -> int:
    options = session.options
    if not options.operands:
        raise InputError(f"submit: name what to do: {', '.join(submittable_steps())}")
    steps = choose_steps(options.operands)
    asked = SubmitOptions(
        steps=steps,
        name=options.name,
        workers=options.workers,
        pods=options.pods,
        retries=options.retries,
        deadline=options.deadline,
        pending_timeout=options.pending_timeout,
        restart=options.restart,
        queue=options.queue,
        image=options.image,
        to=options.to,
        working_dir=options.working_dir,
        translation=_translation(options, steps),
        verbose=options.verbose,
    )
    target = session.target()
    loaded = session.load_config(target, BASE_SETTINGS if TRANSLATE in steps else {})
    now = session.clock.now()
    submission = plan_submission(target.release, asked, loaded, session.suffix, now)
    return submit(
        target,
        submission,
        session.output,
        session.clock,
        dry_run=options.dry_run,
        detach=options.detach,
    )


def _translation(options: argparse.Namespace, steps: tuple[str, ...]) -> TranslationOptions | None:
    found = translation_options(options, output=options.place)
    if TRANSLATE in steps:
        return found
    for word in found.words():
        option = word.partition("=")[0]
        raise InputError(f"{option} is an option of translate, not of {' '.join(steps)}")
    return None


def _logs(session: Session) -> int:
    name, options = session.only_operand("job"), session.options
    command = StorageCommand("logs", job=name, tail=options.tail, run=_run_given(options))
    # With the storage root at hand, no cluster is needed and none is asked.
    if options.storage:
        return _here(session, command)
    target = session.target()
    if options.follow:
        return _follow(session, target, command)
    return _past_log(session, target, command)


def _follow(session: Session, target: Target, command: StorageCommand) -> int:
    """Wait for a job as `submit` does; for a job that has ended, print its log."""
    job = find_job(target, command.job)
    status = read_job_status(job)
    if status.exit_code is None:
        return JobWaiter(target.cluster, job, session.output, session.clock).wait()
    code = _past_log(session, target, command)
    session.output.note(f"{command.job} {with_problem(target.cluster, job, status)}")
    # The job's own code is more important than whether its log could be read.
    return status.exit_code or code


def _past_log(session: Session, target: Target, command: StorageCommand) -> int:
    """Print the log of a job so far, from its Pods or, if they are gone, the storage root."""
    if write_pod_log(target, command.job, session.output, command.tail):
        return 0
    job = target.cluster.get(RAY_JOB, command.job)
    if job and read_job_status(job).state in (JobState.QUEUED, JobState.WAITING):
        session.output.note(f"{command.job} {read_job_status(job)}: there is no log yet")
        return 0
    # The run in the RayJob's label saves a search through all runs.
    known = replace(command, run=command.run or (run_of(job) if job else ""))
    return _on_root(session, target, known)


def _status(session: Session) -> int:
    options = session.options
    if options.operands:
        name = session.only_operand("job")
        return show_job(session.target(), name, session.output, session.clock)
    command = StorageCommand("status", run=_run_given(options))
    if not command.run:
        return show_release(session.target(), session.output, session.clock)
    if options.storage:
        return _here(session, command)
    return _on_root(session, session.target(), command)


def _root_action(session: Session) -> int:
    """Run `promote`, `rollback` or `traffic`, which need only the storage root."""
    session.no_operands()
    options = session.options
    run = _run_given(options)
    command = StorageCommand(options.command, run=run)
    if options.command == "promote":
        if not run:
            raise InputError("promote: which run? give run=NAME")
        # Here, so that no Pod starts for a bad reason, percentage or domain.
        command = replace(command, promotion=checked_options(promotion_options(options)))
    elif options.command == "rollback":
        command = replace(command, route=options.route)
    else:
        command = replace(command, remove=options.remove)
    target = None if options.storage else session.target()
    config = session.load_config(target).config
    serving = config.serving
    command = replace(command, endpoint=serving.name)
    if target and options.command in ("promote", "rollback"):
        how = (session.suffix, session.output, session.clock)
        told = ask_campaign(target, command, config.storage, *how, dry_run=options.dry_run)
        if told:
            return 0
    if options.command == "promote":
        # The text, since the Pod that runs the command has no file of this machine.
        command = replace(command, public_key=with_public_key_text(serving).public_key)
    return _on_root(session, target, command) if target else _here(session, command)


def _keys(session: Session) -> int:
    options, dry_run = session.options, session.options.dry_run
    wanted = key_command(options, options.operands)
    target = None if options.storage else session.target()
    endpoint = session.load_config(target).config.serving.name
    # A Job that another `nmt-k8s` has made is given the hash of a secret which that one shows.
    if wanted.action != "create" or wanted.hashed:
        return _run_keys(session, target, StorageCommand(KEYS, endpoint=endpoint, keys=wanted))
    wanted, text = with_secret(wanted)
    command = StorageCommand(KEYS, endpoint=endpoint, keys=wanted)
    if dry_run:
        return _run_keys(session, target, command)
    output, session.output = session.output, WithoutAnswer(options.output)
    try:
        code = _run_keys(session, target, command)
    except ClusterError:
        explain_unknown_end(wanted, output)
        raise
    if code == 0:
        show_new_key(wanted, endpoint, text, output)
    return code


def _run_keys(session: Session, target: Target | None, command: StorageCommand) -> int:
    return _on_root(session, target, command) if target else _here(session, command)


def _here(session: Session, command: StorageCommand) -> int:
    # Here a dry run shows the result; on a release it prints the Job that would do the work.
    command = replace(command, dry_run=session.options.dry_run)
    run_on_storage(open_storage(session.options.storage, command), command, session.output)
    return 0


def _on_root(session: Session, target: Target, command: StorageCommand) -> int:
    return run_for_release(
        target,
        command,
        session.load_config(target).config.storage,
        session.suffix,
        session.output,
        session.clock,
        dry_run=session.options.dry_run,
    )


def _run_given(options: argparse.Namespace) -> str:
    """Return `run` from the command line or its files, or an empty text if it is not set."""
    # The default run is not what a user means who names no run.
    loaded = load_with_user_set(options.config, options.overrides)
    return loaded.config.run if "run" in loaded.user_set else ""


def _list(session: Session) -> int:
    session.no_operands()
    return list_jobs(session.target(), session.output, session.clock)


def _cancel(session: Session) -> int:
    name = session.only_operand("job")
    return cancel(session.target(), name, session.output, dry_run=session.options.dry_run)


def _doctor(session: Session) -> int:
    session.no_operands()
    options = session.options
    # In the Pod of the probe, or wherever else the storage is at hand.
    if options.storage:
        return answer_findings(check_root(options.storage), session.output)

    def probe(target: Target) -> Iterator[Finding]:
        root = storage_root(target.release, session.load_config(target).config.storage)
        yield from probe_storage(target, root, session.clock, session.suffix)

    return run_doctor(
        session.cluster,
        options.release,
        session.output,
        session.clock,
        None if options.quick else probe,
    )


ACTIONS: Mapping[str, Callable[[Session], int]] = {
    "submit": _submit,
    "logs": _logs,
    "status": _status,
    "list": _list,
    "cancel": _cancel,
    "promote": _root_action,
    "rollback": _root_action,
    "traffic": _root_action,
    KEYS: _keys,
    "doctor": _doctor,
}
