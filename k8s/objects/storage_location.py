"""The location of the storage root of a release and its jobs. Pure."""

import re

from k8s.objects.release import Release
from nmt.errors import ConfigError
from nmt.storage import below


def storage_root(release: Release, storage: str) -> str:
    """Resolve `storage` of the settings, usually relative to the release's root, as Pods see it.

    Raises:
        ConfigError: it contains credentials, which everyone who can read a job would see.
    """
    root = below(release.storage, storage)
    refuse_keys(root)
    return root


def refuse_keys(url: str) -> None:
    """Refuse a URL with keys in front of the bucket.

    Raises:
        ConfigError: the URL contains keys; the message does not repeat them.
    """
    bucket = re.split("[/?#]", url.partition("://")[2])[0]
    # A colon is enough: a key may contain a slash, and then the @ is in a later part.
    if "@" in bucket or ":" in bucket:
        raise ConfigError(
            "storage: the URL has something in front of its bucket, which would appear in "
            "objects and logs: put keys into a Secret (storage.object.secretName of the release), "
            "or for commands run here into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
