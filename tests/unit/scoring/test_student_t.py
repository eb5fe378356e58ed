"""Student's t distribution against published tables."""

import math

import pytest

from nmt.scoring.significance.student_t import quantile, two_sided_p

# Two-sided 5 % and one-sided 20 %, from printed tables.
TABLE = {
    1: (12.706, 1.376),
    2: (4.303, 1.061),
    3: (3.182, 0.978),
    4: (2.776, 0.941),
    9: (2.262, 0.883),
    10: (2.228, 0.879),
    30: (2.042, 0.854),
    100: (1.984, 0.845),
    1_000_000: (1.960, 0.842),
}


@pytest.mark.parametrize("degrees", TABLE)
def test_quantiles_are_those_of_the_tables(degrees: int):
    assert quantile(0.975, degrees) == pytest.approx(TABLE[degrees][0], abs=6e-4)
    assert quantile(0.8, degrees) == pytest.approx(TABLE[degrees][1], abs=6e-4)


@pytest.mark.parametrize("degrees", TABLE)
def test_p_values_are_those_of_the_quantiles(degrees: int):
    assert two_sided_p(0, degrees) == 1
    assert two_sided_p(quantile(0.975, degrees), degrees) == pytest.approx(0.05)
    assert two_sided_p(-quantile(0.8, degrees), degrees) == pytest.approx(0.4)
    assert 0 <= two_sided_p(1e9, degrees) < 1e-6


def test_change_to_the_normal_distribution_is_not_seen():
    assert two_sided_p(1.96, 999) == pytest.approx(math.erfc(1.96 / math.sqrt(2)), abs=3e-4)
