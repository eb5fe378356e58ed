"""Summaries as a run would leave them."""

from typing import Any

from nmt.report.summary import Summary
from nmt.runs.comparison import Significance

REFERENCE = "செவிலியர் காலையில் மருந்தைக் கொடுக்கிறார்."
BASE = "பெண் காலையில் புத்தகத்தைக் கொடுக்கிறார்."
SIGNIFICANCE = Significance(
    p_value=0.002,
    base_bleu=20.0,
    base_interval=(17.0, 23.0),
    best_bleu=31.5,
    best_interval=(28.0, 35.0),
    difference_interval=(8.5, 14.5),
    samples=1000,
    sentences=60,
)


def system(bleu: float, general: float | None, chrf: float = 50.0) -> dict[str, Any]:
    scores = {
        "bleu": {"value": bleu, "signature": "nrefs:1|tok:13a"},
        "chrf++": {"value": chrf, "signature": "nrefs:1|nw:2"},
        "ter": {"value": 100 - bleu, "signature": "nrefs:1|norm:yes"},
    }
    parts = None if general is None else {"bleu": {"value": general, "signature": "general"}}
    return {"bleu": bleu, "general_bleu": general, "scores": scores, "general_scores": parts}


def trial(rank: int, bleu: float | None, state: str = "finished") -> dict[str, Any]:
    curve = [] if bleu is None else [{"step": 100, "bleu": bleu / 2}, {"step": 200, "bleu": bleu}]
    config = {"adapter.rank": rank, "training.learning_rate": rank * 1e-4, "kind": "a"}
    return {"config": config, "bleu": bleu, "state": state, "steps": 200, "curve": curve}


def sample(**sides: str) -> dict[str, str]:
    return {"source": "The nurse.", "reference": REFERENCE, "base": BASE, "best": REFERENCE} | sides


def bare(**fields: Any) -> Summary:
    """Own data without a general part, no search, no curve: what may be null is null."""
    return Summary.model_validate(
        {
            "run": "demo",
            "version": "0.1.0",
            "data": {"name": "corpus.tsv", "sizes": {"train": 900, "test": 60}},
            "model": {
                "name": "nllb",
                "license": "CC-BY-NC-4.0",
                "tiny": False,
                "parameters": 1000,
                "trainable": 50,
            },
            "base": system(20.0, None),
            "best": system(31.5, None, chrf=60.0),
        }
        | fields
    )


def full(**fields: Any) -> Summary:
    return bare(
        **{
            "base": system(20.0, 40.0),
            "best": system(31.5, 39.5, chrf=60.0),
            "p_value": SIGNIFICANCE.p_value,
            "significance": SIGNIFICANCE,
            "trials": [
                trial(8, 22.25),
                trial(16, 18.5, "pruned"),
                trial(32, None, "failed"),
                trial(64, 30.75),
            ],
            "best_config": trial(64, 30.75)["config"],
            "base_validation_bleu": 12.0,
            "curve": [
                {"step": 100, "bleu": 15.0, "loss": 3.5},
                {"step": 200, "bleu": 31.0, "loss": 2.25},
            ],
            "samples": [sample()],
            "seconds": {"prepare": 1.5, "train": 75.0},
            "endpoint": {"checked": True, "source": "Hello.", "target": "வணக்கம்."},
            "engine": "0123456789ab",
            "notes": ["A tiny model shows the path."],
            "versions": {"torch": "2.13.0"},
            "config": {"data": {"source_language": "eng_Latn", "target_language": "tam_Taml"}},
        }
        | fields
    )
