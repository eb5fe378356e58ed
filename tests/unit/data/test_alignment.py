"""Two text files of which one slips: refused, with the line where it begins."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.data.formats.alignment import AlignmentCheck, Slip
from nmt.errors import DataError
from tests.support.inputs import read_pairs


def aligned(count: int, noise: float = 0.15, seed: int = 1) -> tuple[list[str], list[str]]:
    """Write lines of random lengths, and translations whose lengths are similar."""
    draw = random.Random(seed)
    lengths = [int(draw.lognormvariate(4, 0.6)) + 1 for _ in range(count)]
    source = ["s" * length for length in lengths]
    target = ["t" * int(length * draw.lognormvariate(0.1, noise) + 1) for length in lengths]
    return source, target


def find(source: Sequence[str], target: Sequence[str]) -> Slip | None:
    check = AlignmentCheck()
    for pair in zip(source, target, strict=False):
        slip = check.add(*pair)
        if slip:
            return slip
    return check.finish()


@pytest.mark.parametrize("shift", [1, 2, 5, 12, 60])
@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("kind", ["lost", "added"])
def test_the_line_and_the_size_of_a_slip_are_found(shift: int, side: str, kind: str) -> None:
    source, target = aligned(2000)
    changed = source if side == "source" else target
    if kind == "lost":
        del changed[700 : 700 + shift]
    else:
        changed[700:700] = ["x" * 40] * shift
    slip = find(source, target)
    assert slip is not None
    assert slip.shift == (
        shift if (side, kind) in (("source", "lost"), ("target", "added")) else -shift
    )
    assert abs(slip.line - 701) <= 5 + shift


@pytest.mark.parametrize("seed", range(20))
def test_a_slip_is_found_at_any_place(seed: int) -> None:
    source, target = aligned(1000, seed=seed)
    place = random.Random(seed).randrange(900)
    del target[place]
    slip = find(source, target)
    assert slip is not None
    assert abs(slip.line - place - 1) <= 10


def test_a_slip_from_the_first_line_is_found() -> None:
    source, target = aligned(200)
    slip = find(source[1:], target[:-1])
    assert slip is not None
    assert slip.shift == 1
    assert slip.line <= 3


def test_a_slip_that_is_made_up_for_later_is_found() -> None:
    source, target = aligned(1000)
    target[400:550] = [*target[401:550], target[400]]
    slip = find(source, target)
    assert slip is not None
    assert abs(slip.line - 401) <= 5


def test_a_slip_is_found_among_wrong_pairs_and_empty_lines() -> None:
    source, target = aligned(2000)
    draw = random.Random(5)
    for place in range(2000):
        if draw.random() < 0.2:
            target[place] = draw.choice(target)
        if draw.random() < 0.05:
            source[place] = ""
    del target[1000]
    slip = find(source, target)
    assert slip is not None
    assert abs(slip.line - 1001) <= 20


def test_aligned_text_is_passed_on() -> None:
    for seed in range(10):
        assert find(*aligned(1000, seed=seed)) is None
        assert find(*aligned(1000, noise=1.0, seed=seed)) is None


@pytest.mark.parametrize("count", [5, 31, 35, 40, 70, 130])
def test_short_text_is_passed_on(count: int) -> None:
    for seed in range(20):
        assert find(*aligned(count, noise=0.5, seed=seed)) is None


def test_text_whose_lengths_never_agree_is_passed_on() -> None:
    source, target = aligned(5000)
    random.Random(3).shuffle(target)
    assert find(source, target) is None


def test_lines_of_one_length_are_passed_on() -> None:
    assert find(["four"] * 500, ["four"] * 500) is None
    assert find(["four"] * 500, aligned(500)[1]) is None


def test_repeated_sources_are_passed_on() -> None:
    source, target = aligned(1000)
    repeated = [line for line in source for _ in range(4)]
    assert find(repeated, [line for line in target for _ in range(4)]) is None


@pytest.mark.parametrize("path", ["x.en", "x", "."])
def test_files_that_slip_are_refused_with_the_line(tmp_path: Path, path: str) -> None:
    source, target = aligned(500)
    del target[300]
    (tmp_path / "x.en").write_text("\n".join(source))
    (tmp_path / "x.ta").write_text("\n".join(target))
    target_path = str(tmp_path / "x.ta") if path == "x.en" else None
    with pytest.raises(DataError) as caught:
        read_pairs(DataConfig(path=str(tmp_path / path), target_path=target_path))
    message = str(caught.value)
    found = re.search(r"x.en and .*x.ta slip at about line (\d+)", message)
    assert found is not None
    assert abs(int(found[1]) - 301) <= 5
    assert "the translation 1 line further up" in message
