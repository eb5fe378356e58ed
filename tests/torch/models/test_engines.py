"""From trained weights of any kind to an engine that is served: it answers as the trained model."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict
from torch import nn

from nmt.config import Config, load_config
from nmt.decoding.generate import translate
from nmt.decoding.hypothesis import Hypothesis
from nmt.decoding.search import search
from nmt.decoding.settings import Search, SearchSettings
from nmt.engines.card import EngineCard, read_card
from nmt.engines.engine import load_engine
from nmt.engines.torch_engine import TorchEngine
from nmt.engines.translate import TranslateOptions, translate_texts
from nmt.errors import ExportError, TranslationError
from nmt.export.publish import export
from nmt.models.adapters import add_adapter, save_weights, trainable
from nmt.models.load import load_codec, load_model
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.encoded_pairs import encode_pairs
from nmt.runs import layout
from nmt.runs.results import ExportResult
from nmt.storage import Storage
from tests.support.models.tiny_tokenizers import PAIRS
from tests.support.runs.base_record import record_base

Checkpoint = Callable[[str], Path]
SENTENCES = [pair.source for pair in PAIRS[:5]]
LORA = ["adapter.type=lora", "adapter.rank=4"]
BOTTLENECK = ["adapter.type=bottleneck", "adapter.width=8"]
PREFIX = ["adapter.type=prefix", "adapter.virtual_tokens=4"]
PROMPT = ["adapter.type=prompt", "adapter.virtual_tokens=4"]
NONE = ["adapter.type=none"]


@dataclass(frozen=True, slots=True)
class Run:
    """A run as training leaves it, and the model in it."""

    config: Config
    storage: Storage
    model: nn.Module

    def export(self, **changes: object) -> ExportResult:
        """Export the run with changed settings of that step."""
        keys = {f"export.{key}": value for key, value in changes.items()}
        return export(self.config.with_overrides(keys), self.storage)

    def engine_folder(self, **changes: object) -> Path:
        """Export the run and fetch its engine."""
        return self.storage.fetch(f"engines/{self.export(**changes).engine}")

    def card(self, **changes: object) -> EngineCard:
        """The card of that."""
        return read_card(self.engine_folder(**changes))


RunOf = Callable[[str, list[str]], Run]


@pytest.fixture(scope="session")
def learnt_nllb(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An NLLB model that answers with words: at random it repeats its language code."""
    folder = tmp_path_factory.mktemp("learnt") / "nllb"
    shutil.copytree(checkpoint("nllb"), folder)
    source = ModelSource(str(folder))
    model, codec = load_model(source), load_codec(source, "eng_Latn", "tam_Taml")
    batch = encode_pairs(codec, PAIRS, 256, 256).batch(np.arange(len(PAIRS)), torch.device("cpu"))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(25):
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def run_of(checkpoint: Checkpoint, learnt_nllb: Path, tmp_path: Path) -> RunOf:
    """Run with weights changed at random of an architecture and adapter settings."""

    def run_of(name: str, adapter: list[str]) -> Run:
        base = learnt_nllb if name == "nllb" else checkpoint(name)
        settings = ["run=odd", f"model.name_or_path={base}", "serving.beam_size=2", *adapter]
        config, storage = load_config([], settings), Storage(str(tmp_path))
        model = add_adapter(load_model(ModelSource(str(base))).eval(), config.adapter, seed=3)
        change(model)
        with storage.commit(layout.published_weights("odd/train")) as folder:
            save_weights(model, folder)
        with storage.commit("odd/data/pairs") as folder:
            tables = DatasetDict()
            tables["train"] = Dataset.from_list([asdict(pair) for pair in PAIRS])
            tables.save_to_disk(str(folder / "dataset"))
        record_base(config, storage)
        return Run(config, storage, model.eval())

    return run_of


@torch.no_grad()
def change(model: nn.Module) -> None:
    torch.manual_seed(4)
    for parameter in trainable(model).values():
        parameter += 0.05 * torch.randn_like(parameter)


@pytest.mark.parametrize(
    ("name", "adapter"),
    [
        ("mt5", LORA),
        ("marian", LORA),
        ("marian_untied", LORA),
        ("xlm_r", LORA),
        ("m2m100", LORA),
        ("llama", LORA),
        ("llama", PROMPT),
        ("mt5", NONE),
        ("nllb", BOTTLENECK),
        ("nllb", PREFIX),
        ("nllb", PROMPT),
    ],
)
def test_a_torch_engine_answers_as_the_trained_model(
    name: str, adapter: list[str], run_of: RunOf
) -> None:
    run = run_of(name, adapter)
    codec = load_codec(ModelSource(run.config.model.name_or_path), "eng_Latn", "tam_Taml")
    expected = translate(run.model, codec, SENTENCES, beam_size=2)
    engine = load_engine(run.engine_folder(), run.config.serving)
    assert engine.card.format == "torch"
    assert any(expected)
    options = TranslateOptions(max_batch_tokens=1024, cut_endless=False)
    assert translate_texts(engine, SENTENCES, options).texts == expected


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize(
    ("name", "adapter"),
    [("nllb", LORA), ("mt5", LORA), ("llama", LORA), ("nllb", PREFIX), ("llama", PROMPT)],
)
def test_the_probability_of_a_hypothesis_is_that_of_its_tokens(
    name: str, adapter: list[str], beam_size: int, run_of: RunOf
) -> None:
    run = run_of(name, adapter)
    serving = run.config.serving.model_copy(update={"beam_size": beam_size})
    engine = load_engine(run.engine_folder(format="torch"), serving)
    assert isinstance(engine, TorchEngine)
    rows = [engine.encode(text)[0] for text in SENTENCES[:3]]
    together = engine.search(rows, Search(count=beam_size), scored=True)
    for row, found in zip(rows, together, strict=True):
        alone = engine.search([row], Search(count=beam_size), scored=True)[0]
        assert [each.text for each in found] == [each.text for each in alone]
        scores = [each.log_probability for each in found]
        assert scores == pytest.approx([each.log_probability for each in alone], abs=1e-3)
        assert scores[0] == pytest.approx(forced_score(engine, row, beam_size), abs=1e-3)


@pytest.mark.parametrize("name", ["nllb", "llama"])
def test_a_search_may_have_more_beams_or_allow_no_repetition(name: str, run_of: RunOf) -> None:
    run = run_of(name, LORA)
    engine = load_engine(run.engine_folder(format="torch"), run.config.serving)
    rows = [engine.encode(text)[0] for text in SENTENCES[:3]]
    for options in (Search(count=3), Search(beam_size=3, count=2)):
        assert [len(found) for found in engine.search(rows, options)] == [options.count] * 3
    together = engine.search(rows, Search(no_repeat_ngram_size=1))
    for row, (found,) in zip(rows, together, strict=True):
        words = found.text.split()
        assert len(set(words)) == len(words)
        assert engine.search([row], Search(no_repeat_ngram_size=1)) == [[found]]


def forced_score(engine: TorchEngine, row: list[int], beam_size: int) -> float:
    """Add up the log-probabilities of the best hypothesis in one pass of the model."""
    codec = engine._codec
    found = search(engine._model, codec, [row], SearchSettings(beam_size=beam_size))
    new = found.tokens[0]
    batch = codec.pad([row])
    with torch.inference_mode():
        if codec.one_sequence:
            logits = engine._model(input_ids=found.sequences_HT).logits[0, -len(new) - 1 : -1]
        else:
            decoded = found.sequences_HT[:, : len(new)]
            logits = engine._model(**batch, decoder_input_ids=decoded).logits[0]
    picked = logits.log_softmax(-1)[torch.arange(len(new)), new]
    # The language code is forced, so its probability is 1.
    return float(picked[int("forced_bos_token_id" in codec.generation_options()) :].sum())


def test_both_libraries_search_with_the_length_penalty(run_of: RunOf) -> None:
    run = run_of("nllb", LORA)
    serving = run.config.serving.model_copy(update={"beam_size": 3, "length_penalty": 0.5})
    found: list[list[list[Hypothesis]]] = []
    for changes in ({"format": "torch"}, {"format": "ctranslate2", "quantization": "float32"}):
        engine = load_engine(run.engine_folder(**changes), serving)
        rows = [engine.encode(text)[0] for text in SENTENCES]
        found.append(engine.search(rows, Search(count=2), scored=True))
    compared = 0
    for torch_row, row in zip(*found, strict=True):
        # CTranslate2 rounds the limit of the output up, so only complete ones are comparable.
        if not all(each.is_complete for each in torch_row + row):
            continue
        assert [each.text for each in row] == [each.text for each in torch_row]
        assert [each.tokens for each in row] == [each.tokens for each in torch_row]
        for each, expected in zip(row, torch_row, strict=True):
            assert each.log_probability == pytest.approx(expected.log_probability, abs=1e-2)
            assert each.score == pytest.approx(expected.score, abs=1e-2)
        compared += 1
    assert compared


@pytest.mark.parametrize(("adapter", "form"), [(LORA, "ctranslate2"), (PREFIX, "torch")])
def test_ctranslate2_is_taken_for_nllb_whose_adapter_merges(
    adapter: list[str], form: str, run_of: RunOf
) -> None:
    assert run_of("nllb", adapter).card().format == form


def test_torch_is_taken_where_it_is_asked_for(run_of: RunOf) -> None:
    card = run_of("nllb", LORA).card(format="torch")
    assert (card.format, card.has_adapter) == ("torch", False)


def test_the_card_says_what_the_files_of_the_base_held(run_of: RunOf) -> None:
    run = run_of("nllb", LORA)
    base = ModelSource(run.config.model.name_or_path).resolve(run.storage)
    assert run.card(format="torch").base_fingerprint == base.content


@pytest.mark.parametrize(
    ("name", "adapter", "words"),
    [
        ("mt5", LORA, r"export.format=ctranslate2: architecture 'mt5' cannot be converted"),
        ("m2m100", LORA, "'m2m_100' cannot be converted"),
        ("nllb", BOTTLENECK, r"adapter cannot be merged.*use export.format=auto"),
    ],
)
def test_ctranslate2_is_refused_where_it_cannot_hold_the_model(
    name: str, adapter: list[str], words: str, run_of: RunOf
) -> None:
    run = run_of(name, adapter)
    with pytest.raises(ExportError, match=words):
        run.export(format="ctranslate2")
    assert run.storage.list("odd/export") == []


@pytest.mark.parametrize(("name", "adapter"), [("mt5", LORA), ("nllb", BOTTLENECK)])
def test_a_torch_engine_whose_logits_differ_is_not_published(
    name: str,
    adapter: list[str],
    run_of: RunOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from nmt.export import convert as module

    opened = module.open_model
    monkeypatch.setattr(module, "open_model", lambda *a, **k: changed(opened(*a, **k)))
    run = run_of(name, adapter)
    with pytest.raises(ExportError, match="nothing is published"):
        run.export()
    assert run.storage.list("engines") == []


def changed(model: nn.Module) -> nn.Module:
    change(model.requires_grad_(True))
    return model


def test_the_same_weights_give_the_same_torch_engine(
    run_of: RunOf,
) -> None:
    run = run_of("nllb", BOTTLENECK)
    assert run.export().engine == run.export().engine


def test_a_torch_engine_without_its_adapter_does_not_load(
    run_of: RunOf,
) -> None:
    run = run_of("nllb", BOTTLENECK)
    folder = run.engine_folder()
    (folder / "adapter" / "adapter_config.json").unlink()
    with pytest.raises(TranslationError, match="torch cannot load it"):
        load_engine(folder, run.config.serving)


def test_a_long_sentence_is_cut_for_a_model_with_a_prompt(
    run_of: RunOf,
) -> None:
    run = run_of("llama", LORA)
    folder = run.engine_folder()
    limit = 40
    card = json.loads((folder / "engine.json").read_text()) | {"max_source_tokens": limit}
    (folder / "engine.json").write_text(json.dumps(card))
    rows = load_engine(folder, run.config.serving).encode("the cat was here and there " * 20)
    assert len(rows) > 1
    assert all(len(row) <= limit for row in rows)
