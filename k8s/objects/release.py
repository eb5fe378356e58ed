"""What an installed release tells `nmt-k8s`: the content of its ConfigMap.

The chart writes it, with the very Pod templates that its own RayCluster and RayService use, so
that a job's Pods never differ from them. Imports no client.
"""

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from nmt.errors import InputError, first_validation_error

KEY = "release.json"
"""Key of the ConfigMap that holds it."""

JsonObject = dict[str, Any]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",  # a later chart may say more
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Images(_Part):
    """Full names of the two images."""

    ray: str
    tools: str


class JobDefaults(_Part):
    """See `jobs` in the chart's values."""

    workers: str
    retries: int = Field(ge=0)
    deadline_seconds: int = Field(gt=0)
    pending_seconds: int = Field(gt=0)
    keep_seconds: int = Field(ge=0)
    queue: str


class Release(_Part):
    """An installed release."""

    name: str
    """Name of the objects: prefix of the claim, the accounts and the endpoint."""
    namespace: str
    chart_version: str
    labels: dict[str, str]
    """Labels of every object of the release, but for the component."""
    images: Images
    storage: str
    """Storage root as Pods see it: a folder, or a URL."""
    storage_secret: str
    """Secret with the bucket's keys; empty for a claim."""
    config: JsonObject
    """`config` of the values: what jobs start from."""
    jobs: JobDefaults
    priority_classes: dict[str, str]
    """`serve`, `train`, `tune` -> PriorityClass; empty when none are made."""
    max_pods: dict[str, int]
    """Worker group -> most Pods."""
    ray_cluster: JsonObject
    """RayClusterSpec of a job, without worker groups."""
    worker_groups: dict[str, JsonObject]
    """Name -> an entry of `workerGroupSpecs`, without replicas."""
    submitter: JsonObject
    """Pod template of a RayJob's submitter."""
    storage_pod: JsonObject
    """Pod template of a Job that runs `nmt-k8s` beside the storage; its container has no args."""
    service: str
    """Name of the RayService, empty when the endpoint is off."""
    endpoint: str
    """Name of the Service that clients call, empty when the endpoint is off."""
    cluster: str
    """Name of the interactive RayCluster, empty when it is off."""

    @classmethod
    def parse(cls, data: dict[str, str] | None, where: str) -> Self:
        """Read a ConfigMap's data.

        Args:
            data: of the ConfigMap.
            where: names the ConfigMap in messages.

        Raises:
            InputError: it was written by another version of the chart, or is none of its.
        """
        text = (data or {}).get(KEY)
        if text is None:
            raise InputError(f"{where} has no key {KEY}: it is no release of this chart")
        try:
            return cls.model_validate(json.loads(text))
        except ValueError as error:
            problem = (
                first_validation_error(error) if isinstance(error, ValidationError) else str(error)
            )
            raise InputError(
                f"{where} cannot be read by this nmt-k8s: {problem}; "
                "upgrade the release and nmt-k8s to the same version"
            ) from None
