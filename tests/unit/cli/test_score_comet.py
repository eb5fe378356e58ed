"""Why COMET is not computed, in one line of what Ray says."""

import pytest

from ray_jobs.scoring.comet_scores import first_reason

FROM_PIP = """Failed to set up runtime environment.
Traceback (most recent call last):
ray._private.runtime_env.utils.SubprocessCalledProcessError: Run cmd[9] failed.
Last 50 lines of stdout:
    Looking in links: /opt/wheels
    ERROR: Could not find a version that satisfies the requirement unbabel-comet==2.2.7
    ERROR: No matching distribution found for unbabel-comet==2.2.7

"""
FROM_PYTHON = """ray::CometActor.load()
  File "comet_actor.py", line 40, in load
    raise _plain(error) from None
RuntimeError: OSError: the hub cannot be reached
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (FROM_PIP, "No matching distribution found for unbabel-comet==2.2.7"),
        (FROM_PYTHON, "OSError: the hub cannot be reached"),
        ("The actor died\nits worker was killed", "its worker was killed"),
        ("", "ValueError"),
    ],
)
def test_the_reason_is_the_line_that_says_what_is_wrong(text, reason):
    assert first_reason(ValueError(text)) == (
        f"{reason}. Scores made elsewhere can be given with --scores comet:SYSTEM=FILE"
    )
