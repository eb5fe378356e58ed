import pytest

from nmt.network.tcp import split_address, url_of


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("head.example:6379", ("head.example", 6379)),
        ("http://head.example:8265", ("head.example", 8265)),
        ("[::1]:6379", ("::1", 6379)),
        ("[2001:db8::7]:6379", ("2001:db8::7", 6379)),
        ("auto", ("auto", None)),
        ("head:port", ("head", None)),
        ("head:70000", ("head", None)),
        ("[::1:6379", ("", None)),
        ("", ("", None)),
    ],
)
def test_an_address_is_split_into_host_and_port(address, parts):
    assert split_address(address) == parts


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("::", "http://[::1]:8000"),
        ("2001:db8::7", "http://[2001:db8::7]:8000"),
        ("host.example", "http://host.example:8000"),
    ],
)
def test_a_url_puts_an_ipv6_address_into_brackets(host, url):
    assert url_of(host, 8000) == url
