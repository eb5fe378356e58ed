"""The script of `helm test`, and the notes that Helm prints after an installation."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType

import pytest

from nmt.serving.types import Served, ServedRoute
from nmt.serving.web.responses import health_body
from tests.support.chart.rendering import CHART, EVERYTHING, RELEASES, kinds, notes, render
from tests.support.project import load_script

NO_ENGINE = (200, health_body(Served())), (503, {"error": "none yet", "code": "no_engine"})
ROUTE = ServedRoute("eng_Latn-tam_Taml", "eng_Latn", "tam_Taml", None, "abc", "tiny", "none")
SERVED = health_body(Served((ROUTE,), ROUTE))
TRANSLATED = {"translations": [{"text": "மருத்துவமனை எங்கே?"}], "engine": "abc"}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script(CHART / "files" / "test_endpoint.py")


@pytest.fixture
def run(script, monkeypatch) -> Iterator[Callable[..., int]]:
    """Run the script against an endpoint with these answers and return its exit code."""
    servers = []

    def against(got: tuple, posted: tuple) -> int:
        class Endpoint(BaseHTTPRequestHandler):
            def do_GET(self):
                assert self.path == "/health"
                self._say(*got)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert (self.path, list(body)) == ("/v1/translate", ["text"])
                self._say(*posted)

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
        monkeypatch.setenv("ENDPOINT", f"127.0.0.1:{server.server_port}")
        return script.main()

    monkeypatch.setattr(script, "SECONDS", 0)
    yield against
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_endpoint_that_translates_passes(run, capsys):
    assert run((200, SERVED), (200, TRANSLATED)) == 0
    assert "மருத்துவமனை" in capsys.readouterr().out


def test_an_endpoint_before_its_first_promotion_passes(run, capsys):
    assert run(*NO_ENGINE) == 0
    assert "no engine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("got", "posted"),
    [
        ((200, health_body(Served())), (200, TRANSLATED)),
        ((200, health_body(Served())), (503, {"error": "full", "code": "overloaded"})),
        ((200, SERVED), (503, {"error": "none yet", "code": "no_engine"})),
        ((200, SERVED), (200, {"translations": [{"text": " "}], "engine": "abc"})),
        ((200, SERVED), (200, {"translations": []})),
        ((500, {}), (500, {})),
        ((200, []), (200, [])),
    ],
)
def test_any_other_answer_fails(run, got, posted, capsys):
    assert run(got, posted) == 1
    assert "127.0.0.1" in capsys.readouterr().err


def test_a_missing_endpoint_fails(script, monkeypatch, capsys):
    monkeypatch.setattr(script, "SECONDS", 0)
    monkeypatch.setenv("ENDPOINT", "127.0.0.1:1")
    assert script.main() == 1
    assert "refused" in capsys.readouterr().err


def test_the_pod_runs_this_script_against_the_endpoint_of_the_release():
    pod = kinds(render(), "Pod")["demo-test"]
    (container,) = pod["spec"]["containers"]
    written = (CHART / "files" / "test_endpoint.py").read_text("utf-8")
    assert container["command"] == ["python", "-c", f"{written.strip()}\n"]
    assert container["env"] == [{"name": "ENDPOINT", "value": "demo-endpoint.team.svc:8000"}]
    assert container["image"].startswith("nmt-tools:")


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
        "kubectl port-forward service/demo-endpoint 18000:8000 -n team",
        "helm test demo -n team",
    ):
        assert command in said


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
