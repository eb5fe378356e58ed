"""The images of a release, and where it stores its files."""

from typing import Literal

from pydantic import Field

from helm.values.base import OptionalName, Quantity, Values


class Image(Values):
    """A container image."""

    repository: str = ""
    """Name without tag; needed."""
    tag: str = ""
    """Tag; the chart's appVersion when empty."""
    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """`sha256:…`; used instead of the tag."""
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    """When the node pulls it."""


class Claim(Values):
    """The volume that every Pod mounts."""

    create: bool = True
    """Create the claim; false uses an existing one."""
    name: OptionalName = ""
    """Name of the claim; `<release>-storage` when empty."""
    size: Quantity = "100Gi"
    """Size of a claim that is created."""
    storage_class: str = ""
    """Storage class of a claim that is created; the cluster's default when empty."""
    access_mode: Literal["ReadWriteMany", "ReadWriteOnce"] = "ReadWriteMany"
    """`ReadWriteOnce` works only on a single node."""
    keep: bool = True
    """Keep the claim, and with it all models, when the release is uninstalled."""


class ObjectStore(Values):
    """A bucket."""

    url: str = Field(default="", pattern=r"^((s3|gs)://.+)?$")
    """`s3://bucket/prefix` or `gs://bucket/prefix`, without keys: put those into a Secret."""
    secret_name: OptionalName = ""
    """Existing Secret whose keys become environment variables, like AWS_ACCESS_KEY_ID."""


class StorageValues(Values):
    """Where runs, engines, traffic files and logs are stored."""

    type: Literal["claim", "object"] = "claim"
    """`claim`: a volume; `object`: a bucket."""
    claim: Claim = Claim()
    object: ObjectStore = ObjectStore()
    mount_path: str = Field(default="/storage", pattern=r"^(/[-a-zA-Z0-9_]+)+$")
    """Where Pods mount the claim; a relative `config.storage` is a folder in it."""
