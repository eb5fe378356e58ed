"""Calibration of the systems' confidences on the validation split."""

from collections.abc import Mapping

from nmt.data.test_sets import TestSet
from nmt.metrics import statistics
from nmt.scoring.confidence import Calibration, fit_calibration
from nmt.scoring.outputs import SystemOutput


def calibrate(
    validation: TestSet, outputs: Mapping[str, SystemOutput], usable_chrf: float
) -> dict[str, Calibration]:
    """Fit how probably a translation of a given confidence is usable, for each system.

    Args:
        validation: the validation split.
        outputs: system -> its translations of the split.
        usable_chrf: chrF++ of a sentence from which its translation counts as usable.

    Returns:
        System -> calibration; without systems that have too few sentences or no confidences.
    """
    found: dict[str, Calibration] = {}
    for name, output in outputs.items():
        if output.confidences is None:
            continue
        chrf = statistics(
            "chrf++", output.hypotheses, validation.references, validation.target_language
        ).segments()
        if calibration := fit_calibration(output.confidences, chrf, usable_chrf):
            found[name] = calibration
    return found
