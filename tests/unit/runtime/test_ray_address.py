import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from nmt.config import Config, load_config
from nmt.errors import NmtError
from ray_jobs.cli import doctor
from ray_jobs.runtime.address import ray_address, ray_connection_error


@pytest.fixture(scope="module")
def web_server() -> Iterator[str]:
    """HOST:PORT of a server that is not a Ray."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("value", "address"),
    [(None, None), ("", None), ("local", None), ("auto", "auto"), (" head:6379 ", "head:6379")],
)
def test_a_command_joins_a_cluster_only_where_one_is_named(value, address):
    assert ray_address({} if value is None else {"RAY_ADDRESS": value}) == address


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:8265", "is the address of a dashboard, which is for `ray job submit`"),
        ("https://ray.example", "is the address of a dashboard"),
        ("ray://127.0.0.1:10001", "a server for Ray's client, which no command can use"),
        ("s3://bucket", "is not an address of Ray"),
        ("head", "is not an address"),
        ("head:port", "is not an address"),
        ("127.0.0.1:1", "nothing answers there"),
    ],
)
def test_an_address_that_cannot_be_a_cluster_is_one_sentence_with_a_remedy(address, said):
    fault = ray_connection_error(address)
    assert fault is not None
    assert fault.text.startswith(f"RAY_ADDRESS={address}")
    assert said in fault.text
    assert "unset" in fault.remedy
    assert "\n" not in str(fault)


def test_what_answers_and_is_not_a_ray_is_told_within_seconds(web_server):
    fault = ray_connection_error(web_server)
    assert fault is not None
    assert "is not the head of a cluster" in fault.text


def test_a_token_that_must_be_sent_and_is_not_there_is_one_sentence(web_server, tmp_path):
    """In a process of its own: Ray reads the variables once."""
    program = (
        "import sys; from ray_jobs.runtime.address import ray_connection_error; "
        "print(ray_connection_error(sys.argv[1]))"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", program, web_server],
        env=environ | {"RAY_AUTH_MODE": "token", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(f"RAY_ADDRESS={web_server} wants another token")
    assert "set RAY_AUTH_TOKEN" in done.stdout
    assert done.stdout.count("\n") == 1


# What the doctor says of it


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Config:
    """Settings for a doctor that looks at Ray alone."""
    monkeypatch.setattr(doctor, "_LOOKS", (doctor._ray,))
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    return load_config()


def test_the_doctor_calls_an_address_bad_that_no_command_can_use(config, monkeypatch, capsys):
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    with pytest.raises(NmtError, match="not ready: ray"):
        doctor.report(config)
    assert "RAY_ADDRESS=http://127.0.0.1:8265 is the address of a dashboard" in (
        capsys.readouterr().out
    )


def test_the_doctor_calls_a_place_bad_that_ray_cannot_use(config, monkeypatch, capsys):
    monkeypatch.setenv("RAY_TMPDIR", "/tmp/" + "x" * 60)
    with pytest.raises(NmtError, match="not ready: ray"):
        doctor.report(config)
    assert "bad  ray           RAY_TMPDIR=/tmp/xxx" in capsys.readouterr().out


@pytest.mark.parametrize(("mode", "told"), [(None, True), ("token", False), ("disabled", False)])
def test_the_doctor_tells_that_a_token_is_there_which_rays_client_does_not_send(
    config, monkeypatch, tmp_path, capsys, mode, told
):
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray/auth_token").write_text("secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    if mode:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    doctor.report(config)
    output = capsys.readouterr().out
    assert ("set RAY_AUTH_MODE=token" in output) is told
    assert "secret" not in output
