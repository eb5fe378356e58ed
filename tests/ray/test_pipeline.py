import json

import pytest

from nmt.config import load_with_user_set
from nmt.errors import DataError
from nmt.storage import Storage
from ray_jobs.pipeline import run
from ray_jobs.runtime.context import Session


def test_text_without_test_pairs_is_refused_before_a_base_is_made(tmp_path):
    pairs = [{"en": f"House {n} has a door.", "ta": f"வீடு {n} க்கு கதவு உள்ளது."} for n in range(40)]
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(json.dumps(pair) for pair in pairs))
    words = ["run=demo", f"data.path={corpus}", "data.test_fraction=0"]
    loaded = load_with_user_set(overrides=words)
    storage = Storage(str(tmp_path / "runs"))
    with pytest.raises(DataError, match=r"no test pairs: set data\.test_fraction"):
        run(Session(loaded.config, storage, loaded.user_set))
    assert not storage.exists("demo/base")
