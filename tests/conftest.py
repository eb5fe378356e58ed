import logging
import urllib.request
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Its own bound of 200 ms on an example is one on how busy the machine is.
settings.register_profile("without a bound on time", deadline=None)
settings.load_profile("without a bound on time")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Port of an S3 server of this process that holds an empty `bucket`."""
    moto_server = pytest.importorskip("moto.server")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.delenv("AWS_SESSION_TOKEN", raising=False)
        request = urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT")
        urllib.request.urlopen(request).close()
        yield str(port)
    server.stop()


@pytest.fixture
def s3_url(s3_server: str) -> str:
    """Storage root on that server, of this test alone."""
    query = f"endpoint_override=127.0.0.1:{s3_server}&scheme=http&region=us-east-1"
    return f"s3://bucket/{uuid.uuid4().hex}?{query}"
