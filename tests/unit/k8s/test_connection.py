"""Tests of connecting from within a Pod."""

import pytest

pytest.importorskip("urllib3", reason="needs the extra k8s")

from k8s.api import connection
from k8s.api.connection import open_connection
from nmt.errors import ClusterError


@pytest.fixture
def account(tmp_path, monkeypatch):
    for name, content in (("namespace", "team\n"), ("token", "first\n"), ("ca.crt", "")):
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(connection, "_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return tmp_path


def test_a_pod_connects_with_its_account_and_in_its_namespace(account):
    found = open_connection(None)
    assert (found.host, found.namespace) == ("https://10.96.0.1:443", "team")
    assert found.authorization() == "Bearer first"


def test_a_token_that_the_kubelet_has_replaced_is_used_at_once(account):
    found = open_connection(None)
    (account / "token").write_text("second")
    assert found.authorization() == "Bearer second"


def test_an_address_of_ipv6_stands_in_brackets(account, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    assert open_connection(None).host == "https://[fd00::1]:443"


def test_a_pod_without_the_address_of_the_server_says_so(account, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    with pytest.raises(ClusterError, match="KUBERNETES_SERVICE_HOST"):
        open_connection(None)
