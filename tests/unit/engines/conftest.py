"""Engines of a tiny model for CTranslate2 and for torch, which must pass the same tests."""

from typing import get_args

import pytest

from nmt.engines.card import EngineFormat
from nmt.engines.engine import SearchEngine, load_engine
from nmt.storage import Storage
from tests.support.models.tiny_engine import HOSPITAL, WATER, add_engine, serving_config


@pytest.fixture(scope="package", params=get_args(EngineFormat))
def form(request: pytest.FixtureRequest) -> EngineFormat:
    return request.param


@pytest.fixture(scope="package")
def storage(form: EngineFormat, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    storage = Storage(str(tmp_path_factory.mktemp("engines")))
    add_engine(storage, "water", WATER, form)
    add_engine(storage, "hospital", HOSPITAL, form)
    return storage


@pytest.fixture(scope="package")
def engine(storage: Storage) -> SearchEngine:
    return load_engine(storage.fetch("engines/water"), serving_config())
