"""The endpoint on a real Ray Serve: promotion, rollback and faults under load.

The tests share one endpoint and run in the order of the file: only the first sees no pointer.
"""

import http.client
import itertools
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import ray
from ray import serve
from ray.serve.deployment import deployment_to_schema
from ray.util import list_named_actors

from nmt.client import Client as ApiClient
from nmt.config import Config, load_with_user_set
from nmt.errors import ConfigError, WorseThanBaseError
from nmt.serving.feedback.rows import read_rows
from nmt.storage import Storage
from nmt.traffic import change_traffic, promote, read_traffic, rollback
from ray_jobs.runtime.context import Session
from ray_jobs.serve import build, run
from ray_jobs.serving.lifecycle import start, stop
from ray_jobs.serving.probe import check_endpoint
from tests.support.alerts import families_of, metrics_of_alerts
from tests.support.models.tiny_engine import HOSPITAL, WATER, add_engine
from tests.support.runs.evaluated_run import evaluate, export

NAME = "default"
WORDS = {"water": WATER, "hospital": HOSPITAL}
TEXTS = ["Where is the hospital? We need water now.", "The doctor sees two patients."]


@dataclass(frozen=True)
class Place:
    storage: Storage
    url: str

    def reports(self) -> list[dict[str, Any]]:
        folder = f"serving/{NAME}/replicas"
        # A report has another name until it is completely written.
        names = [name for name in self.storage.list(folder) if name.endswith(".json")]
        return [self.storage.read_json(f"{folder}/{name}") for name in names]

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        return Client(self.url).ask(method, path, body)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"timed out; reports: {self.reports()}"
            time.sleep(0.05)

    def wait_for_engine(self, digest: str) -> None:
        """Wait until all replicas serve an engine and the status shows it."""
        self.wait_for(lambda: all(r["digest"] == digest for r in self.reports()))
        self.wait_for(lambda: self.ask("GET", "/health")[1].get("engine") == digest)


class Client:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        content = None if body is None else json.dumps(body)
        self.connection.request(method, path, content, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())


@dataclass
class Load:
    """Clients that send requests until the block ends, and check every answer."""

    url: str
    clients: int = 4
    digests: set[str] = field(default_factory=set)
    failures: list[Any] = field(default_factory=list)
    answers: int = 0

    def __enter__(self) -> "Load":
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        client = Client(self.url)
        while not self._stop.is_set():
            try:
                status, body = client.ask("POST", "/v1/translate", {"text": TEXTS})
                self._check(status, body)
            except Exception as error:
                self.failures.append(repr(error))
                client = Client(self.url)

    def _check(self, status: int, body: Any) -> None:
        if status != 200:
            self.failures.append((status, body))
            return
        texts = [translation["text"] for translation in body["translations"]]
        words = {word for text in texts for word in text.split()}
        if len(texts) != len(TEXTS) or words != {WORDS[body["engine"]]}:
            self.failures.append(body)
        self.digests.add(body["engine"])
        self.answers += 1


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    storage = Storage(str(tmp_path_factory.mktemp("root")))
    ray.init(address="local", num_cpus=4, include_dashboard=False, logging_level=logging.ERROR)
    serving = {
        "port": 0,
        "poll_seconds": 0.2,
        "min_replicas": 2,
        "max_replicas": 2,
        "feedback": True,
    }
    config = Config.parse({"storage": storage.url, "serving": serving})
    yield Place(storage, start(config))
    stop()
    ray.shutdown()
    # Serve's thread of this process reports every ten seconds, and would start another Ray.
    time.sleep(11)
    assert not ray.is_initialized()


@pytest.fixture(scope="module", autouse=True)
def engines(place: Place) -> None:
    for digest, word in WORDS.items():
        add_engine(place.storage, digest, word)
    add_engine(place.storage, "corrupted", WATER)
    weights = Path(place.storage.locate("engines/corrupted/model/model.bin"))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 0xFF
    weights.write_bytes(content)


def test_starts_without_an_engine(place: Place) -> None:
    assert place.ask("GET", "/health")[1]["status"] == "no_engine"
    status, body = place.ask("POST", "/v1/translate", {"text": "Hello."})
    assert (status, body["code"]) == (503, "no_engine")
    assert place.ask("GET", "/nothing")[1]["code"] == "not_found"


def test_answers_after_the_first_promotion(place: Place) -> None:
    promote(place.storage, NAME, "water")
    checked = check_endpoint(place.url, 20)
    assert checked.engine == "water"
    assert set(checked.target.split()) == {WATER}
    place.wait_for_engine("water")


def test_the_endpoint_exports_every_metric_that_an_alert_asks_for(place: Place) -> None:
    with urlopen(f"{place.url}/metrics", timeout=60) as answer:
        exported = families_of(answer.read().decode())
    families = metrics_of_alerts(operator=False)
    assert len(families) > 8
    assert families - exported == set()


def test_promotion_under_load_fails_no_request(place: Place) -> None:
    with Load(place.url) as load:
        time.sleep(0.5)
        promote(place.storage, NAME, "hospital")
        place.wait_for_engine("hospital")
        time.sleep(0.5)
    assert load.failures == []
    assert load.digests == {"water", "hospital"}


def test_rollback_under_load_fails_no_request(place: Place) -> None:
    with Load(place.url) as load:
        rollback(place.storage, NAME)
        place.wait_for_engine("water")
        time.sleep(0.5)
    assert load.failures == []
    assert "water" in load.digests


def test_a_corrupted_engine_leaves_the_old_one_serving(place: Place) -> None:
    pointer = read_traffic(place.storage, NAME)
    assert pointer is not None
    # Written directly, since `promote` refuses a damaged engine.
    broken = pointer.with_route(pointer.default, pointer.route().promoted("corrupted"))
    change_traffic(place.storage, NAME, lambda _: broken)
    with Load(place.url) as load:
        place.wait_for(lambda: all(report["error"] for report in place.reports()))
    assert load.failures == []
    assert load.digests == {"water"}
    for report in place.reports():
        assert (report["digest"], report["wanted"]) == ("water", "corrupted")
        assert "model.bin" in report["error"]
    rollback(place.storage, NAME)
    place.wait_for(lambda: not any(report["error"] for report in place.reports()))


def test_a_killed_replica_of_two_fails_no_request(place: Place) -> None:
    with Load(place.url, clients=8) as load:
        time.sleep(0.5)
        [victim, _] = replicas()
        ray.kill(ray.get_actor(victim, namespace="serve"))
        place.wait_for(lambda: len(set(replicas()) - {victim}) == 2, seconds=60)
        killed_at = load.answers
        place.wait_for(lambda: load.answers > killed_at + 50, seconds=60)
    assert load.failures == []


def test_a_document_is_translated_though_its_replica_dies(place: Place, tmp_path: Path) -> None:
    source, target = tmp_path / "page.html", tmp_path / "page.ta.html"
    # Long enough to be in work while the replica dies.
    names = ["".join(letters) for letters in itertools.product("abcdefghijkl", repeat=3)]
    text = "".join(f"<p>The patient <b>{name}</b> needs water now.</p>\n" for name in names)
    source.write_text(f"<body>\n{text}</body>", encoding="utf-8")
    with ApiClient(place.url) as client:
        document = client.submit_document(source)
        place.wait_for(lambda: client.document(document.id).sentences_done > 0, seconds=60)
        assert client.document(document.id).status == "translating"
        for victim in replicas():
            ray.kill(ray.get_actor(victim, namespace="serve"))
        place.wait_for(lambda: client.document(document.id).status == "done", seconds=120)
        client.download_document(document.id, target)
        client.delete_document(document.id)
    translated = target.read_text("utf-8")
    tags = re.findall("<.*?>", translated)
    assert tags == [*re.findall("<.*?>", source.read_text("utf-8"))]


def test_feedback_is_stored_by_the_replica_that_takes_it(place: Place) -> None:
    with ApiClient(place.url) as client:
        translation = client.translate("Where is the hospital?")
        client.send_feedback(
            "Where is the hospital?", translation, source="en", target="ta", correction=HOSPITAL
        )
    (row,) = read_rows(place.storage, NAME, "corrections")
    assert (row.target, row.engine) == (HOSPITAL, translation.engine)


def test_a_body_above_the_limit_is_refused(place: Place) -> None:
    status, body = place.ask("POST", "/v1/translate", {"text": "a" * 2_000_000})
    assert (status, body["code"]) == (413, "too_large")


def options_of(application: serve.Application) -> dict[str, Any]:
    """Map each deployment of an application to its options."""
    deployment = application._bound_deployment
    options = {deployment.name: deployment_to_schema(deployment).model_dump(exclude_unset=True)}
    for argument in deployment.init_args:
        if isinstance(argument, serve.Application):
            options |= options_of(argument)
    return options


def test_plain_values_and_a_config_build_the_same_deployments() -> None:
    scale = {"min_replicas": 2, "max_replicas": 3}
    plain = {"serving": {**scale, "cpus_per_replica": 4}}
    options = options_of(build(plain))
    assert options == options_of(build(Config.parse(plain)))
    assert options["Endpoint"]["autoscaling_config"]["max_replicas"] == 3
    assert options["Endpoint"]["ray_actor_options"]["num_cpus"] == 4


def test_invalid_plain_values_are_refused() -> None:
    with pytest.raises(ConfigError, match="serving"):
        build({"serving": {"port": -1}})


def test_serving_a_run_does_not_promote_an_engine_worse_than_its_base(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    export(storage, "spoilt")
    evaluate(storage, "spoilt")
    words = ["run=spoilt", "serving.port=0", f"storage={tmp_path}"]
    loaded = load_with_user_set(overrides=words)
    with pytest.raises(WorseThanBaseError, match="--force"):
        run(Session(loaded.config, storage, loaded.user_set))
    assert read_traffic(storage, NAME) is None


def test_a_taken_port_is_a_config_error(place: Place) -> None:
    port = urlsplit(place.url).port
    with pytest.raises(ConfigError, match="port=0"):
        start(Config.parse({"serving": {"port": port}}))


def replicas() -> list[str]:
    actors: Any = list_named_actors(all_namespaces=True)
    return [actor["name"] for actor in actors if "#Endpoint#" in actor["name"]]
