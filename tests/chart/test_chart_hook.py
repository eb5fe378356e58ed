"""The script of `helm test`, and the notes that Helm prints after an installation."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType

import pytest

from nmt.serving.errors import NoEngineError, OverloadedError, UnauthorizedError
from nmt.serving.types import Served, ServedRoute
from nmt.serving.web.bodies.responses import error_body, health_body
from nmt.serving.web.texts.translation_bodies import translation_body
from tests.support.chart.rendering import CHART, EVERYTHING, RELEASES, kinds, notes, render
from tests.support.project import load_script

ROUTE = ServedRoute(
    "eng_Latn-tam_Taml", "eng_Latn", "tam_Taml", None, engine="abc", base="tiny", license="none"
)
KEY = "nmt_1_secret"

READY = (200, {"status": "ready"})
NOT_READY = (503, error_body(NoEngineError("no engine has been promoted yet")))
SERVED = (200, health_body(Served(routes=(ROUTE,), default=ROUTE)))
NOTHING_SERVED = (200, health_body(Served()))
TRANSLATED = (200, translation_body([{"text": "மருத்துவமனை எங்கே?"}], "abc", ROUTE, None))
UNAUTHORIZED = (401, error_body(UnauthorizedError("give an API key")))
OVERLOADED = (503, error_body(OverloadedError("full")))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script(CHART / "files" / "test_endpoint.py")


@pytest.fixture
def run(script, monkeypatch) -> Iterator[Callable[..., int]]:
    """Run the script against an endpoint with these answers and return its exit code."""
    servers = []

    def against(
        ready: tuple, health: tuple, without_key: tuple, with_key: tuple | None = None
    ) -> int:
        class Endpoint(BaseHTTPRequestHandler):
            def do_GET(self):
                self._say(*{"/ready": ready, "/health": health}[self.path])

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert (self.path, list(body)) == ("/v1/translate", ["text"])
                authorization = self.headers["Authorization"]
                assert authorization in (None, f"Bearer {KEY}")
                self._say(*(with_key if authorization and with_key else without_key))

            def _say(self, status, body):
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for address in ("ENDPOINT", "PODS"):
            monkeypatch.setenv(address, f"127.0.0.1:{server.server_port}")
        return script.main()

    monkeypatch.setattr(script, "SECONDS", 0)
    monkeypatch.setenv("REQUIRE_KEYS", "true")
    monkeypatch.delenv("API_KEY", raising=False)
    yield against
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_endpoint_that_translates_with_the_key_passes(run, monkeypatch, capsys):
    monkeypatch.setenv("API_KEY", f"{KEY}\n")
    assert run(READY, SERVED, UNAUTHORIZED, TRANSLATED) == 0
    assert "மருத்துவமனை" in capsys.readouterr().out


def test_without_a_key_it_is_enough_that_requests_are_refused(run, capsys):
    assert run(READY, SERVED, UNAUTHORIZED) == 0
    assert "serving.testKeySecret is not set" in capsys.readouterr().out


def test_an_endpoint_that_requires_no_keys_has_to_translate(run, monkeypatch, capsys):
    monkeypatch.setenv("REQUIRE_KEYS", "false")
    assert run(READY, SERVED, TRANSLATED) == 0
    assert "மருத்துவமனை" in capsys.readouterr().out
    assert run(READY, SERVED, UNAUTHORIZED) == 1


def test_an_endpoint_before_its_first_promotion_passes(run, capsys):
    assert run(NOT_READY, NOTHING_SERVED, UNAUTHORIZED) == 0
    assert "no engine" in capsys.readouterr().out


@pytest.mark.parametrize(
    "answers",
    [
        (NOT_READY, SERVED, UNAUTHORIZED),
        (NOT_READY, NOTHING_SERVED, NOT_READY),
        (OVERLOADED, SERVED, UNAUTHORIZED),
        (READY, NOTHING_SERVED, UNAUTHORIZED),
        (READY, SERVED, TRANSLATED, TRANSLATED),
        (READY, SERVED, UNAUTHORIZED, UNAUTHORIZED),
        (READY, SERVED, UNAUTHORIZED, OVERLOADED),
        (READY, SERVED, UNAUTHORIZED, (200, translation_body([{"text": " "}], "abc", ROUTE, None))),
        (READY, SERVED, UNAUTHORIZED, (200, {"translations": []})),
        ((500, {}), (500, {}), (500, {})),
        ((200, []), (200, []), (200, [])),
    ],
)
def test_any_other_answer_fails(run, answers, monkeypatch, capsys):
    monkeypatch.setenv("API_KEY", KEY)
    assert run(*answers) == 1
    said = capsys.readouterr().err
    assert "127.0.0.1" in said
    assert KEY not in said


def test_a_missing_endpoint_fails(script, monkeypatch, capsys):
    monkeypatch.setattr(script, "SECONDS", 0)
    for address in ("ENDPOINT", "PODS"):
        monkeypatch.setenv(address, "127.0.0.1:1")
    assert script.main() == 1
    assert "refused" in capsys.readouterr().err


def test_the_pod_runs_this_script_against_the_endpoint_of_the_release():
    pod = kinds(render(), "Pod")["demo-test"]
    (container,) = pod["spec"]["containers"]
    written = (CHART / "files" / "test_endpoint.py").read_text("utf-8")
    assert container["command"] == ["python", "-c", f"{written.strip()}\n"]
    assert {entry["name"]: entry["value"] for entry in container["env"]} == {
        "ENDPOINT": "demo-endpoint.team.svc:8000",
        # KubeRay's Service, which also has Pods that are not ready.
        "PODS": "demo-serve-svc.team.svc:8000",
        "REQUIRE_KEYS": "true",
    }
    assert container["image"].startswith("registry.example/nmt-tools:")


def test_the_pod_takes_a_key_from_a_secret_and_learns_whether_one_is_required():
    values = {
        "serving": {"testKeySecret": "probe-key"},
        "config": {"serving": {"require_keys": False}},
    }
    (container,) = kinds(render(values), "Pod")["demo-test"]["spec"]["containers"]
    env = {entry.pop("name"): entry for entry in container["env"]}
    assert env["API_KEY"] == {"valueFrom": {"secretKeyRef": {"name": "probe-key", "key": "key"}}}
    assert env["REQUIRE_KEYS"] == {"value": "false"}


def test_the_pod_is_scheduled_like_the_head_of_the_endpoint():
    placement = {"nodeSelector": {"pool": "web"}, "tolerations": [{"operator": "Exists"}]}
    pod = kinds(render({"serving": {"head": placement}}), "Pod")["demo-test"]
    assert {key: pod["spec"].get(key) for key in placement} == placement


def test_only_helm_test_creates_the_pod_and_deletes_it_after_success():
    annotations = kinds(render(), "Pod")["demo-test"]["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "test"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"


# NOTES


def test_the_notes_give_the_next_commands_for_this_release():
    said = notes()
    for command in (
        "nmt-k8s doctor --release demo -n team",
        "nmt-k8s submit pipeline run=demo --release demo -n team",
        "nmt-k8s promote run=demo --release demo -n team",
        "nmt-k8s keys create NAME --release demo -n team",
        "kubectl port-forward service/demo-endpoint 18000:8000 -n team",
        "helm test demo -n team",
    ):
        assert command in said


def test_the_notes_name_a_key_only_where_one_is_required():
    assert "Bearer $KEY" in notes()
    said = notes({"config": {"serving": {"require_keys": False}}})
    assert "key" not in said


def test_the_notes_warn_of_a_volume_for_one_node():
    assert "WARNING" not in notes()
    assert "WARNING: the claim demo-storage is ReadWriteOnce" in notes(RELEASES["laptop"])


def test_the_notes_warn_when_callers_from_outside_are_refused():
    assert "demo-endpoint is a LoadBalancer Service" in notes(EVERYTHING)


def test_the_notes_leave_out_disabled_parts():
    said = notes({"serving": {"enabled": False}})
    assert "promote" not in said
    assert "helm test" not in said


@pytest.mark.parametrize("name", RELEASES)
def test_the_notes_have_no_missing_values_and_no_double_blank_lines(name):
    said = notes(RELEASES[name])
    assert "<no value>" not in said
    assert "\n\n\n" not in said


def test_the_notes_say_how_to_wait_for_the_pods_that_uninstall_leaves():
    labels = "app.kubernetes.io/instance=demo,app.kubernetes.io/component=serving"
    wait = f"kubectl wait --for=delete pod -l {labels}"
    said = notes({"serving": {"drainSeconds": 15}})
    (line,) = [line for line in said.splitlines() if wait in line]
    (service,) = kinds(render({"serving": {"drainSeconds": 15}}), "RayService").values()
    cluster = service["spec"]["rayClusterConfig"]
    grace = cluster["workerGroupSpecs"][0]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert f"--timeout={grace + 30}s" in line
    assert "-n team" in line
    assert wait not in notes({"serving": {"enabled": False}})
