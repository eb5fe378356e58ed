"""The words in which the log and the report describe an engine's vocabulary."""

from nmt.runs.results import EngineVocabulary, ExportResult, VocabularyScore


def test_the_cost_of_a_smaller_vocabulary_is_named_with_both_scores() -> None:
    scores = {"chrf++": VocabularyScore(full=50.124, limited=50.011, signature="nrefs:1")}
    found = EngineVocabulary(
        form="trimmed",
        model_tokens=256_204,
        known_tokens=62_000,
        written_tokens=40_000,
        sentences=500,
        scores=scores,
    )
    assert found.describe() == (
        "The engine can write 40,000 of the model's 256,204 tokens and knows 62,000 "
        "(export.vocabulary: trimmed). On 500 sentences of the validation set: "
        "chrf++ 50.12 with all tokens and 50.01 with fewer."
    )


def test_a_result_of_an_earlier_release_has_no_vocabulary() -> None:
    old = {"engine": "0123", "format": "ctranslate2", "logit_difference": 0.0, "license": "mit"}
    assert ExportResult.model_validate(old).vocabulary is None
    assert ExportResult.model_validate(old).as_json() == old
