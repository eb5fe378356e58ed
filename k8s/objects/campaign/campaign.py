"""A campaign as the API server returns it."""

from dataclasses import dataclass
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from k8s.api.cluster import JsonObject
from k8s.objects.campaign.names import name_problem
from k8s.objects.campaign.spec import CampaignSpec
from k8s.objects.campaign.status import CampaignStatus
from nmt.errors import InputError, first_validation_error


class Metadata(BaseModel):
    """The fields of an object's metadata that the operator reads."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )

    name: str
    uid: str
    generation: int = 1
    creation_timestamp: AwareDatetime
    deletion_timestamp: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign: who it is, what it shall do, and what was reported of it last."""

    metadata: Metadata
    spec: CampaignSpec | None
    """None if it cannot be used; `problem` says why."""
    status: CampaignStatus
    """Empty if there is none, or none that this release can read."""
    problem: str = ""

    @property
    def name(self) -> str:
        """Return the name of the object."""
        return self.metadata.name

    @classmethod
    def parse(cls, body: JsonObject) -> Self:
        """Read an object of the API.

        A spec that cannot be used is a problem of the campaign and not an error, so that the
        operator can report it in the status.

        Raises:
            InputError: the metadata is not that of an object in a cluster.
        """
        try:
            metadata = Metadata.model_validate(body["metadata"])
        except ValidationError as error:
            raise InputError(f"TranslationCampaign: {first_validation_error(error)}") from None
        spec, problem = _read_spec(body)
        problem = name_problem(metadata.name) or problem
        return cls(metadata, spec, _read_status(body), problem)


def _read_spec(body: JsonObject) -> tuple[CampaignSpec | None, str]:
    """Read the spec, or say why it cannot be used."""
    try:
        return CampaignSpec.model_validate(body.get("spec", {})), ""
    except ValidationError as error:
        return None, first_validation_error(error, prefix="spec")


def _read_status(body: JsonObject) -> CampaignStatus:
    """Read the status, or begin with an empty one."""
    # The status is a cache: one that another release wrote in another form is made again.
    try:
        return CampaignStatus.model_validate(body.get("status") or {})
    except ValidationError:
        return CampaignStatus()
