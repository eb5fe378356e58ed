"""The translation memory: which training pair is found for a sentence."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from nmt.data.prepared_rows import MappedPairs
from nmt.evaluation.baselines.memory import CANDIDATES, TranslationMemory
from nmt.evaluation.baselines.memory_system import MemorySystem, TrainingPairs
from nmt.runs import layout
from nmt.storage import Storage
from tests.support.evaluation.fake_systems import sentences_of
from tests.support.evaluation.prepared_run import prepare

PAIRS = [
    ("The doctor is here.", "மருத்துவர் இங்கே."),
    ("The doctor is in the old house.", "மருத்துவர் பழைய வீட்டில் இருக்கிறார்."),
    ("Where is the water?", "தண்ணீர் எங்கே?"),
    ("We go home.", "நாங்கள் வீட்டுக்குப் போகிறோம்."),
]
LANGUAGES = ("eng_Latn", "tam_Taml")


def folder_of(root: Path, train: Sequence[tuple[str, str]], **splits: object) -> Path:
    storage = Storage(str(root / "runs"))
    prepare(storage, {"train": train, **splits})  # pyright: ignore[reportArgumentType]
    return storage.fetch(layout.pairs("demo"))


def memory_of(
    root: Path, train: Sequence[tuple[str, str]], source_language: str = "eng_Latn"
) -> TranslationMemory:
    return TranslationMemory(MappedPairs(folder_of(root, train), "train"), source_language)


def sources(memory: TranslationMemory, source: str, count: int = 5) -> list[str]:
    return [match.pair.source for match in memory.find_matches(source, count)]


def test_the_pair_with_the_most_similar_source_comes_first(tmp_path):
    found = memory_of(tmp_path, PAIRS).find_matches("The doctor is there.", 5)
    assert found[0].pair.target == PAIRS[0][1]
    # One letter is inserted into 20.
    assert found[0].similarity == pytest.approx(1 - 1 / 20)
    similarities = [match.similarity for match in found]
    assert similarities == sorted(similarities, reverse=True)


def test_the_whole_sentence_decides_and_not_the_rarest_word(tmp_path):
    train = [("water " * 3 + "antelope", "a"), ("The water is as cold as ice.", "b")]
    assert sources(memory_of(tmp_path, train), "The water is cold, antelope.")[0] == train[1][0]


def test_case_and_invisible_characters_of_the_source_do_not_matter(tmp_path):
    (best,) = memory_of(tmp_path, PAIRS).find_matches("WHERE is\u200b  the water?", 1)
    assert (best.pair.source, best.similarity) == ("Where is the water?", 1.0)


def test_pairs_without_a_word_of_the_source_are_not_found(tmp_path):
    memory = memory_of(tmp_path, PAIRS)
    assert set(sources(memory, "home water")) == {"We go home.", "Where is the water?"}
    assert memory.find_matches("Quite otherwise!", 5) == []
    assert memory.find_matches("", 5) == []


def test_tamil_words_are_indexed_whole(tmp_path):
    # Patterns without vowel signs have the pieces ம, த and த in both of the first two.
    train = [("மதி தமிழ்", "a"), ("மாதா தீமை", "b"), ("மதி வந்தாள்", "c")]
    memory = memory_of(tmp_path, train, "tam_Taml")
    assert sources(memory, "மதி") == ["மதி தமிழ்", "மதி வந்தாள்"]
    assert sources(memory, "மாதா") == ["மாதா தீமை"]


def test_a_language_without_spaces_is_indexed_by_pairs_of_characters(tmp_path):
    train = [("我今天去医院。", "a"), ("他昨天回家了。", "b")]
    memory = memory_of(tmp_path, train, "zho_Hans")
    assert sources(memory, "她去医院吗？") == [train[0][0]]


def test_of_equal_pairs_the_earlier_one_comes_first(tmp_path):
    train = [("We go home.", str(number)) for number in range(3 * CANDIDATES)]
    found = memory_of(tmp_path, train).find_matches("We go home.", 5)
    assert [match.pair.target for match in found] == ["0", "1", "2", "3", "4"]


def test_a_memory_without_words_finds_nothing(tmp_path):
    memory = memory_of(tmp_path, [("!?", "!?"), ("...", "...")])
    assert memory.find_matches("Where is the water?", 5) == []


def test_the_size_counts_the_texts_and_the_index(tmp_path):
    texts = sum(len(text.encode()) for pair in PAIRS for text in pair)
    small = memory_of(tmp_path / "a", PAIRS).size_bytes
    assert small > texts
    assert memory_of(tmp_path / "b", PAIRS * 10).size_bytes > 5 * small


# As a system of an evaluation


def system_of(folder: Path, digest: str = "one") -> MemorySystem:
    return MemorySystem(TrainingPairs(folder, digest, LANGUAGES))


def test_the_target_of_the_best_match_is_the_translation_and_no_match_is_empty(tmp_path):
    system = system_of(folder_of(tmp_path, PAIRS))
    counted: list[int] = []
    with system.load() as loaded:
        test_set = sentences_of("news", ("The doctor is there.", "Quite otherwise!"))
        output = loaded.translate(test_set, counted.append)
    assert list(output.hypotheses) == [PAIRS[0][1], ""]
    assert output.confidences is None
    assert sum(counted) == 2


def test_only_training_pairs_are_copied(tmp_path):
    held_out = [("Where is the old nurse?", "held out")]
    folder = folder_of(tmp_path, PAIRS, validation=held_out, test=held_out)
    with system_of(folder).load() as loaded:
        output = loaded.translate(sentences_of("test", (held_out[0][0],)), lambda count: None)
    assert list(output.hypotheses) == [PAIRS[2][1]]


def test_size_and_time_of_the_index_are_known_once_it_is_built(tmp_path):
    system = system_of(folder_of(tmp_path, PAIRS))
    assert system.info.size_bytes is None
    with system.load() as loaded:
        assert loaded.info.size_bytes
        assert loaded.info.preparation_seconds is not None
        assert loaded.info.parameters is None


def test_other_training_pairs_make_another_system(tmp_path):
    folder = folder_of(tmp_path, PAIRS)
    first = system_of(folder).content("test")
    assert system_of(folder).content("test") == first
    assert system_of(folder, "two").content("test") != first


def test_the_memory_translates_the_direction_of_its_pairs_only(tmp_path):
    system = system_of(folder_of(tmp_path, PAIRS))
    assert system.find_obstacle(sentences_of("test")) is None
    back = sentences_of("back", source_language="tam_Taml", target_language="eng_Latn")
    assert "the training pairs are eng_Latn to tam_Taml" in (system.find_obstacle(back) or "")
    assert "confidence" in (system.find_obstacle(sentences_of("validation")) or "")
