"""Object stores, opened by their URL: with Arrow, and with the client for conditional writes."""

import configparser
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
from pyarrow import fs

from nmt.errors import ConfigError, UnavailableError
from nmt.network.tcp import connection_error, split_address

if TYPE_CHECKING:
    from obstore.store import ClientConfig, GCSConfig, S3Config


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


def s3_options(url: str, bucket: str) -> "tuple[S3Config, ClientConfig]":
    """Read the client's options as Arrow does, from an S3 URL and the environment."""
    query = parse_qs(urlsplit(url).query)
    config: S3Config = _profile_credentials()
    endpoint = _endpoint(url) or os.environ.get(
        "AWS_ENDPOINT_URL_S3", os.environ.get("AWS_ENDPOINT_URL", "")
    )
    if endpoint:
        config["endpoint"] = endpoint
        if query.get("force_virtual_addressing") == ["true"]:
            scheme, _, host = endpoint.partition("://")
            config["endpoint"] = f"{scheme}://{bucket}.{host}"
            config["virtual_hosted_style_request"] = True
    client: ClientConfig = {"allow_http": endpoint.startswith("http://")}
    if query.get("tls_verify_certificates") == ["false"]:
        client["allow_invalid_certificates"] = True
    return config, client


def gcs_options(url: str) -> "tuple[GCSConfig, ClientConfig]":
    """Read the client's options as Arrow does, from a URL of Google's store and the environment."""
    endpoint = _endpoint(url) or os.environ.get("CLOUD_STORAGE_EMULATOR_ENDPOINT", "")
    config: GCSConfig = {"base_url": endpoint} if endpoint else {}
    if urlsplit(url).username == "anonymous":
        config["skip_signature"] = True
        # The client still asks for a token before each write, which an emulator ignores.
        config["bearer_token"] = "anonymous"  # noqa: S105 - not a secret
    return config, {"allow_http": endpoint.startswith("http://")}


def _endpoint(url: str) -> str:
    query = parse_qs(urlsplit(url).query)
    endpoint = query.get("endpoint_override", [""])[0]
    if not endpoint or "://" in endpoint:
        return endpoint
    return f"{query.get('scheme', ['https'])[0]}://{endpoint}"


def _profile_credentials() -> "S3Config":
    """Read the keys of the AWS profile, which the client does not do by itself.

    Raises:
        ConfigError: a file of profiles is damaged.
    """
    # As in Arrow, the environment goes first. Without either, the client asks for a web identity,
    # the container or the machine, as Arrow does.
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return {}
    files = configparser.ConfigParser(interpolation=None, strict=False)
    folder = Path.home() / ".aws"
    for variable, name in (
        ("AWS_CONFIG_FILE", "config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ):
        file = os.environ.get(variable, folder / name)
        try:
            files.read(file)
        except (configparser.Error, UnicodeDecodeError):
            # The parser's message would quote a line, which may hold a secret.
            raise ConfigError(f"{file}: is not a file of AWS profiles") from None
    found = _profile(files, os.environ.get("AWS_PROFILE", "default"))
    if found is None:
        return {}
    config: S3Config = {
        "access_key_id": found["aws_access_key_id"],
        "secret_access_key": found.get("aws_secret_access_key", ""),
    }
    if token := found.get("aws_session_token"):
        config["session_token"] = token
    return config


def _profile(files: configparser.ConfigParser, profile: str) -> configparser.SectionProxy | None:
    # The two files name the section of a profile differently; the keys are usually in the second.
    sections = [files[each] for each in (profile, f"profile {profile}") if each in files]
    return next((each for each in sections if "aws_access_key_id" in each), None)
