"""Chat messages: each user message with the answer to it."""

import json
import logging
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.data.read import Input, open_inputs

SENTENCES = [("one two", "ஒன்று இரண்டு"), ("three", "மூன்று"), ("four", "நான்கு")]


def opened(path: Path, records: list[dict[str, object]], **settings: object) -> Input:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return next(open_inputs(DataConfig.model_validate({"path": str(path), **settings})))


def read(path: Path, records: list[dict[str, object]]) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in opened(path, records).rows]


def messages(*texts: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]


def test_messages_give_a_pair_for_each_answer(tmp_path: Path) -> None:
    system = {"role": "system", "content": "Translate English to Tamil."}
    first, second, third = SENTENCES
    records: list[dict[str, object]] = [
        {"messages": [system, *messages(*first, *second)]},
        {"messages": messages(*third)},
    ]
    assert read(tmp_path / "x.jsonl", records) == SENTENCES


def test_other_shapes_of_messages_are_read(tmp_path: Path) -> None:
    first, second, third = SENTENCES
    parts = [{"type": "text", "text": second[0]}]
    answer = {"role": "assistant", "content": second[1]}
    records: list[dict[str, object]] = [
        {
            "conversations": [
                {"from": "human", "value": first[0]},
                {"from": "gpt", "value": first[1]},
            ]
        },
        {"messages": [{"role": "user", "content": parts}, answer]},
        {"prompt": messages(third[0]), "completion": [{"role": "assistant", "content": third[1]}]},
    ]
    assert read(tmp_path / "x.jsonl", records) == SENTENCES


@pytest.mark.parametrize("before", ["Translate to Tamil: ", "Translate to Tamil.\n\n", ""])
@pytest.mark.parametrize("after", ["\nTamil:", ""])
def test_an_instruction_is_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, before: str, after: str
) -> None:
    records: list[dict[str, object]] = [
        {"prompt": f"{before}{source}{after}", "completion": target} for source, target in SENTENCES
    ]
    with caplog.at_level(logging.WARNING):
        assert read(tmp_path / "x.jsonl", records) == SENTENCES
    assert ("removed from the user's messages" in caplog.text) == bool(before or after)


def test_messages_without_an_answer_are_damage(tmp_path: Path) -> None:
    records: list[dict[str, object]] = [
        {"messages": messages("a", "b")},
        {"messages": messages("c")},
        {"messages": ["text"]},
    ]
    read = opened(tmp_path / "x.jsonl", records, max_bad_rows=2)
    assert [pair.source for pair in read.rows] == ["a"]
    assert "line 2: no user message with an answer" in str(read.bad.examples[0])
