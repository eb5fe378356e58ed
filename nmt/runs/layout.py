"""Every path below the storage root.

Other modules call these functions and never write such a path themselves.
"""

from nmt.runs.steps import BASE, EVALUATE, EXPORT, PREPARE, TRAIN, TUNE, VARIANTS, AnyStep

# Shared by all runs. `nmt.config` refuses these names for a run.

ENGINES = "engines"
ENDPOINTS = "serving"
CAMPAIGNS = "campaigns"
GATES = "gates"
MLFLOW_ARTIFACTS = "mlruns"
MLFLOW_DATABASE = "mlflow.db"
PROVENANCE = "provenance"

WRITE_PROBE = ".doctor"
"""File that `nmt doctor` writes and deletes. A run's name cannot begin with a dot."""


def engine(digest: str) -> str:
    """Return the folder commit of an exported engine."""
    return f"{ENGINES}/{digest}"


def provenance(digest: str) -> str:
    """Return the signature of an engine, with the signed record of where it comes from."""
    # Not in the engine's folder, which its signature covers.
    return f"{PROVENANCE}/{digest}.sig"


def endpoint(name: str) -> str:
    """Return the folder of an endpoint, by its `serving.name`."""
    return f"{ENDPOINTS}/{name}"


def rollouts(name: str) -> str:
    """Return the folder with the records of the rollouts of an endpoint."""
    return f"{endpoint(name)}/rollouts"


def rollout(name: str, rollout_id: str) -> str:
    """Return the file that records one rollout."""
    return f"{rollouts(name)}/{rollout_id}.json"


def campaign(name: str) -> str:
    """Return the file in which the operator keeps the revisions of a TranslationCampaign."""
    return f"{CAMPAIGNS}/{name}/campaign.json"


def gate_uses(test_set_digest: str) -> str:
    """Return the file that counts how often gates have used a test set, by its digest."""
    # Shared by all runs: a test set wears out whichever run is judged by it.
    return f"{GATES}/{test_set_digest}.json"


def traffic(name: str) -> str:
    """Return the file that says which engine an endpoint serves."""
    return f"{endpoint(name)}/traffic.json"


def keys(name: str) -> str:
    """Return the file with the API keys of an endpoint, as hashes."""
    return f"{endpoint(name)}/keys.json"


def head_states(name: str) -> str:
    """Return the folder in which the heads of an endpoint keep their state, on Kubernetes."""
    return f"{endpoint(name)}/head"


def replica_reports(name: str) -> str:
    """Return the folder in which the replicas of an endpoint report what they serve."""
    return f"{endpoint(name)}/replicas"


def replica_report(name: str, replica: str) -> str:
    """Return the file in which one replica reports."""
    return f"{replica_reports(name)}/{replica}.json"


def glossaries(name: str) -> str:
    """Return the folder with the glossaries of an endpoint."""
    return f"{endpoint(name)}/glossaries"


def documents(name: str) -> str:
    """Return the folder with the documents that an endpoint translates, one folder for each."""
    return f"{endpoint(name)}/documents"


def feedback(name: str) -> str:
    """Return the folder with the ratings and corrections that an endpoint has got."""
    return f"{endpoint(name)}/feedback"


# A run, and any step of it.


def job_logs(run: str) -> str:
    """Return the folder with the logs of a run's Kubernetes jobs, and what else they leave."""
    return f"{run}/logs"


def job_log(run: str, job: str) -> str:
    """Return the log of a Kubernetes job."""
    return f"{job_logs(run)}/{job}.log"


def job_attempts(run: str, job: str) -> str:
    """Return the file that counts the attempts of a Kubernetes job."""
    # On the storage root, since Kubernetes starts each attempt in a new Pod.
    return f"{job_logs(run)}/{job}.json"


JOB_PROGRESS_SUFFIX = ".progress.json"


def job_progress(run: str, job: str) -> str:
    """Return the file that says how far a Kubernetes job has come, and how it ended."""
    return f"{job_logs(run)}/{job}{JOB_PROGRESS_SUFFIX}"


def summary(run: str) -> str:
    """Return the file with all results of a run."""
    return f"{run}/summary.json"


REPORT_FILE = "report.html"
"""Name of the page, in the folder of a run and in that of `nmt score`."""


def report(run: str) -> str:
    """Return the page that shows the results of a run."""
    return f"{run}/{REPORT_FILE}"


def step_folder(run: str, step: AnyStep) -> str:
    """Return the folder of a step."""
    return f"{run}/{step.folder}"


def step_record(run: str, step: AnyStep) -> str:
    """Return the file that says whether a step is done, and with which settings."""
    return f"{step_folder(run, step)}/step.json"


def step_config(run: str, step: AnyStep) -> str:
    """Return the file with all settings of the command that last worked on a step."""
    return f"{step_folder(run, step)}/config.json"


def step_lock(run: str, step: AnyStep) -> str:
    """Return the lock of a step."""
    # Beside the folder, not in it: a command that holds the lock may delete the folder.
    return f"{step_folder(run, step)}.lock"


def ray_files(run: str, step: AnyStep) -> str:
    """Return the folder in which Ray keeps its own files of a step."""
    return f"{step_folder(run, step)}/ray"


# Single steps.


def pairs(run: str) -> str:
    """Return the folder commit of the prepared sentence pairs."""
    return f"{step_folder(run, PREPARE)}/pairs"


def tokens(run: str, digest: str) -> str:
    """Return the folder commit of tokenized pairs, by the digest of what they depend on."""
    # Beside the pairs, so that they are discarded together.
    return f"{step_folder(run, PREPARE)}/tokens/{digest}"


def cleaning_report(run: str) -> str:
    """Return the file that counts the pairs dropped by each filter."""
    return f"{step_folder(run, PREPARE)}/cleaning.json"


def dropped_pairs(run: str) -> str:
    """Return the file with every dropped pair, its place in the input and the rule."""
    return f"{step_folder(run, PREPARE)}/dropped.parquet"


def staged_blocks(run: str) -> str:
    """Return the folder in which the workers of an object store find the pairs to clean."""
    return f"{step_folder(run, PREPARE)}/blocks"


def untrained_base(run: str) -> str:
    """Return the folder commit of a base that was built for the run and not trained yet."""
    return f"{step_folder(run, BASE)}/initial"


def trained_base(run: str) -> str:
    """Return the folder commit of a base that the run has trained for itself."""
    return published_weights(step_folder(run, BASE))


def trials(run: str) -> str:
    """Return the folder that holds one folder per trial of the search."""
    return f"{step_folder(run, TUNE)}/trials"


def trial_folder(run: str, digest: str) -> str:
    """Return the training folder of a trial, by the digest of its settings."""
    # So a search that goes on finds the checkpoints of a trial that it draws again.
    return f"{trials(run)}/{digest}"


def trial_record(run: str, digest: str) -> str:
    """Return the file that records the scores of a trial."""
    return f"{trial_folder(run, digest)}/trial.json"


def shared_validation(run: str) -> str:
    """Return the file that says how many validation pairs all trials of a search translate."""
    return f"{step_folder(run, TUNE)}/validation.json"


def earlier_searches(run: str) -> str:
    """Return the file that keeps what the search of a run has learned from other runs."""
    return f"{step_folder(run, TUNE)}/warm_start.json"


def best_trial(run: str) -> str:
    """Return the file that names the best trial of the search."""
    return f"{step_folder(run, TUNE)}/best.json"


def trained_weights(run: str) -> str:
    """Return the folder commit of the weights that the run has trained."""
    return published_weights(step_folder(run, TRAIN))


def variant_folder(run: str, digest: str) -> str:
    """Return the training folder of a variant, by the digest of its settings."""
    # So a variant with other settings never goes on from the checkpoints of this one.
    return f"{step_folder(run, VARIANTS)}/{digest}"


def variant_record(folder: str) -> str:
    """Return the file that records a finished variant, by its training folder."""
    return f"{folder}/variant.json"


def evaluation(run: str) -> str:
    """Return the file with the scores of the evaluation."""
    return f"{step_folder(run, EVALUATE)}/{SCORES_FILE}"


SCORES_FILE = "evaluation.json"
"""Name of the file with all scores, in the evaluation of a run and in the folder of `nmt score`."""
HYPOTHESES_FOLDER = "hypotheses"
"""Name of the folder with the translations, in the same two places."""


def scored_hypotheses(test_set: str, system: str) -> str:
    """Return where a folder of scores keeps the translations of a test set by one system."""
    return f"{HYPOTHESES_FOLDER}/{test_set}/{system}.jsonl"


def kept_test_set(run: str, test_set: str) -> str:
    """Return the file with the sentences of a named test set, as they were when it was scored."""
    return f"{step_folder(run, EVALUATE)}/sets/{test_set}.json"


def hypotheses(run: str, test_set: str, system: str) -> str:
    """Return the file with the translations of a test set by one system."""
    return f"{step_folder(run, EVALUATE)}/{scored_hypotheses(test_set, system)}"


def translation_record(run: str, test_set: str, system: str) -> str:
    """Return the file that says from what, and how, these translations were made."""
    return f"{step_folder(run, EVALUATE)}/{HYPOTHESES_FOLDER}/{test_set}/{system}.json"


def rating_studies(run: str) -> str:
    """Return the folder with the studies of human ratings, one folder for each."""
    # Not below the evaluation: `nmt evaluate --restart` must not discard what people have done.
    return f"{run}/ratings"


def rating_design(run: str, study: str) -> str:
    """Return the file that says what a study rates, and in which order."""
    return f"{rating_studies(run)}/{study}/design.json"


def rating_key(run: str, study: str, batch: int) -> str:
    """Return the file that says which systems are behind the labels of a batch, from 1."""
    return f"{rating_studies(run)}/{study}/key-{batch:03d}.json"


def ratings(run: str, study: str) -> str:
    """Return the file with all ratings of a study."""
    return f"{rating_studies(run)}/{study}/ratings.json"


def merged_model(run: str) -> str:
    """Return the folder commit of the trained model for plain transformers."""
    return f"{step_folder(run, EXPORT)}/merged"


def exported_adapter(run: str) -> str:
    """Return the folder commit of the trained adapter for plain PEFT."""
    return f"{step_folder(run, EXPORT)}/adapter"


def unfinished_engine(run: str) -> str:
    """Return the folder in which an engine is built before its digest is known."""
    return f"{step_folder(run, EXPORT)}/engine"


# A training folder: the base's, the run's own, or a trial's.

_CHECKPOINT = "step-"


def checkpoints(folder: str) -> str:
    """Return the folder that holds the checkpoints of a training."""
    return f"{folder}/checkpoints"


def checkpoint(checkpoints: str, step: int) -> str:
    """Return the folder commit of one checkpoint."""
    # With leading zeros, names in a listing are sorted by step.
    return f"{checkpoints}/{_CHECKPOINT}{step:08d}"


def checkpoint_step(name: str) -> int | None:
    """Read the step from the name of a checkpoint; None for other names."""
    number = name.removeprefix(_CHECKPOINT)
    # Comparing with the written name refuses `step-7`, which would be a second name of step 7.
    is_checkpoint = number.isdecimal() and name == checkpoint("", int(number)).removeprefix("/")
    return int(number) if is_checkpoint else None


def published_weights(folder: str) -> str:
    """Return the folder commit of the weights that a training has published."""
    return f"{folder}/best"


def micro_batches(folder: str) -> str:
    """Return the file that says into how many parts a training cuts its micro-batches."""
    return f"{folder}/micro_batches.json"


def base_validation(folder: str) -> str:
    """Return the file with the base's translations of the validation pairs of a training."""
    return f"{folder}/base_validation.json"


def mlflow_run(folder: str) -> str:
    """Return the file that names the MLflow run of a training."""
    return f"{folder}/mlflow.json"


def tensorboard(folder: str) -> str:
    """Return the folder of a training's TensorBoard events."""
    return f"{folder}/tensorboard"
