"""`nmt translate` with a public key loads no engine that is not signed."""

from pathlib import Path

import pytest

from nmt.cli.translation import TranslationOptions
from nmt.config import load_config
from nmt.errors import SignatureError
from nmt.storage import Storage
from ray_jobs.translation.files import translate_files
from ray_jobs.translation.translator import Translator, TranslatorSetup
from tests.support.runs.signed_run import leave_run, make_keys


def test_an_engine_that_is_not_signed_translates_neither_words_nor_files(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "root"))
    digest = leave_run(storage)
    config = load_config(overrides=[f"serving.public_key={make_keys(tmp_path).public}"])
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("Hello.\n")
    options = TranslationOptions(str(source), str(target))
    with pytest.raises(SignatureError, match="is not signed"):
        translate_files(config, storage, digest, options, restart=False)
    with pytest.raises(SignatureError, match="is not signed"):
        Translator(TranslatorSetup(storage, digest, config.serving, options, 1))
    assert not target.exists()
