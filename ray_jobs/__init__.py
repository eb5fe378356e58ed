"""The library's jobs on Ray: one module for each command, and what they share."""

import os
import sys

from ray_jobs.runtime.module_path import leave_folder_of_the_user
from ray_jobs.runtime.serve_environment import set_environment

leave_folder_of_the_user()

# Ray reads these when it is imported, so they are set before any module here can import it.
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")  # Ctrl-C is handled by the command
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # the command prints its own tables of trials
os.environ.setdefault("RAY_DEDUP_LOGS", "0")  # two lines of progress are never a repetition
# A training that loses a node learns of it within a second, and not within 5: a Pod that is deleted
# may have no more than that to save a checkpoint in. Its end is then noticed at once, too.
os.environ.setdefault("RAY_TRAIN_PREEMPTION_POLL_INTERVAL_S", "1")
os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.5")
set_environment()
if sys.stdout is None or not sys.stdout.isatty():
    os.environ.setdefault("RAY_COLOR_PREFIX", "0")
