"""The bugs that the benchmark plants into the operator, whose code changes."""

import pytest

from benchmarks.operator_mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_every_planted_bug_has_one_place_in_the_code(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text("utf-8").count(mutant.old) == 1
