"""The base class of the parts of a campaign."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class CampaignPart(BaseModel):
    """A frozen part of a campaign, with the field names of the Kubernetes API."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",  # the definition in the cluster may be that of a newer chart
        alias_generator=to_camel,
        populate_by_name=True,
        # The descriptions of the custom resource definition are generated from these docstrings.
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )
