"""Where the storage root of a release and of its jobs lies. Pure."""

import re

from k8s.objects.release import Release
from nmt.errors import ConfigError
from nmt.storage import below


def storage_root(release: Release, storage: str) -> str:
    """`storage` of the settings, mostly relative to the release's root, as Pods see it.

    Raises:
        ConfigError: it holds credentials, which every reader of a job would see.
    """
    root = below(release.storage, storage)
    refuse_keys(root)
    return root


def refuse_keys(url: str) -> None:
    """Refuse keys in front of a bucket; what they are is not repeated.

    Raises:
        ConfigError: there are some.
    """
    place = re.split("[/?#]", url.partition("://")[2])[0]
    if "@" in place or ":" in place:  # a key may have a slash, so that no @ follows
        raise ConfigError(
            "storage: the URL holds something in front of its bucket, which would end up in "
            "objects and logs: put keys into a Secret (storage.object.secretName of the release), "
            "or for commands run here into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
