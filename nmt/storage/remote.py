"""Object stores, opened by their URL."""

from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
from pyarrow import fs

from nmt.errors import ConfigError, UnavailableError
from nmt.network.tcp import connection_error, split_address


def open_remote(url: str) -> tuple[fs.FileSystem, str]:
    """Open the object store of a URL.

    Args:
        url: `s3://` or `gs://`, with a bucket.

    Returns:
        Arrow's filesystem, and the root's path in it.

    Raises:
        ConfigError: the scheme is not known, or the URL contains credentials or lacks a bucket.
        UnavailableError: the endpoint does not accept connections.
    """
    parts = urlsplit(url)
    scheme = parts.scheme
    if parts.password:
        raise ConfigError(
            "storage: the URL contains credentials, which would appear in logs and records: put "
            "them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a file these tools read"
        )
    if scheme not in ("s3", "gs"):
        raise ConfigError(
            f"storage={url}: scheme '{scheme}' is not known; use a folder, s3:// or gs://"
        )
    query = parse_qs(parts.query)
    endpoint = query.get("endpoint_override", [""])[0]
    if endpoint:
        _check_endpoint(url, endpoint, query.get("scheme", ["https"])[0])
    try:
        filesystem, root = fs.FileSystem.from_uri(url)
    except (OSError, pa.ArrowException) as error:
        raise ConfigError(f"storage={url}: cannot be opened: {error}") from None
    if not root.strip("/"):
        raise ConfigError(f"storage={url}: names no bucket")
    return filesystem, root.rstrip("/")


def _check_endpoint(url: str, endpoint: str, scheme: str) -> None:
    # Arrow's client would retry for minutes before it reports that nobody listens.
    host, port = split_address(endpoint)
    problem = connection_error(host, port or {"http": 80}.get(scheme, 443))
    if problem:
        raise UnavailableError(f"storage={url}: {endpoint} does not answer ({problem})")
