"""The description of an installed release, which the chart writes into a ConfigMap.

It contains the Pod templates of the release's own RayCluster and RayService, so that the Pods of a
job never differ from theirs.
"""

import json
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from k8s.api.cluster import JsonObject
from k8s.objects.limits import MAX_SECONDS
from nmt.errors import InputError, first_validation_error

KEY = "release.json"
"""Key of the description in the ConfigMap."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",  # a newer chart may have more fields
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Images(_Part):
    """Full names of the two images."""

    ray: str
    tools: str


class JobDefaults(_Part):
    """The defaults of jobs: `jobs` in the chart's values."""

    workers: str
    retries: int = Field(ge=0)
    deadline_seconds: int = Field(gt=0, le=MAX_SECONDS)
    pending_seconds: int = Field(gt=0, le=MAX_SECONDS)
    keep_seconds: int = Field(ge=0, le=MAX_SECONDS)
    queue: str


class Release(_Part):
    """An installed release."""

    name: str
    """Prefix of the object names: the claim, the accounts and the endpoint."""
    namespace: str
    chart_version: str
    labels: dict[str, str]
    """Labels of every object of the release, without the component."""
    images: Images
    storage: str
    """Storage root as Pods see it: a folder, or a URL."""
    storage_secret: str
    """Secret with the bucket's keys; empty for a claim."""
    config: JsonObject
    """`config` of the values: the defaults of every job's settings."""
    jobs: JobDefaults
    priority_classes: dict[str, str]
    """`serve`, `train`, `tune` -> PriorityClass; empty if the release has none."""
    max_pods: dict[str, int]
    """Worker group -> maximum number of Pods."""
    ray_cluster: JsonObject
    """RayClusterSpec of a job, without worker groups."""
    worker_groups: dict[str, JsonObject]
    """Name -> an entry of `workerGroupSpecs`, without replicas."""
    submitter: JsonObject
    """Pod template of a RayJob's submitter."""
    storage_pod: JsonObject
    """Pod template of a Job that runs `nmt-k8s` on the storage; its container has no args."""
    service: str
    """Name of the RayService, empty when the endpoint is off."""
    endpoint: str
    """Name of the Service that clients call, empty when the endpoint is off."""
    cluster: str
    """Name of the interactive RayCluster, empty when it is off."""
    head_state: str = ""
    """Where the endpoint's head keeps its state: `none`, `embedded` or `redis`; empty when the
    endpoint is off, or a chart without this field made the release."""
    max_active: int = Field(default=0, ge=0)
    """Number of campaigns whose jobs run at the same time; 0: no limit."""
    operator: str = ""
    """Name of the operator's Deployment and of its Lease; empty when it is off."""
    admission_policy: str = ""
    """ValidatingAdmissionPolicy that binds what users of the release create; empty if it has
    none."""

    @classmethod
    def parse(cls, data: dict[str, str] | None, where: str) -> Self:
        """Read the description of a release.

        Args:
            data: of the ConfigMap.
            where: names the ConfigMap in messages.

        Raises:
            InputError: another version of the chart wrote it, or it is not from this chart.
        """
        text = (data or {}).get(KEY)
        if text is None:
            raise InputError(f"{where} has no key {KEY}: it is not a release of this chart")
        try:
            return cls.model_validate(json.loads(text))
        except ValueError as error:
            problem = (
                first_validation_error(error) if isinstance(error, ValidationError) else str(error)
            )
            raise InputError(
                f"this nmt-k8s cannot read {where}: {problem}; "
                "upgrade the release and nmt-k8s to the same version"
            ) from None
