"""The operator, which runs TranslationCampaigns."""

from typing import Annotated

from pydantic import Field

from helm.values.base import OptionalName, OptionalQuantity, Quantity, Values
from helm.values.pods import Placement


class Crds(Values):
    """Definitions of kinds, which the whole cluster shares."""

    install: bool = True
    """Create and upgrade the kind TranslationCampaign together with the operator; false where
    another release or an administrator does. It is kept, with all campaigns, when the release is
    uninstalled."""


class Operator(Placement):
    """The operator, which runs the TranslationCampaigns of this release."""

    enabled: bool = False
    """Run it."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 2
    """Number of Pods, of which one works and the others wait to take over."""
    max_active: Annotated[int, Field(gt=0)] = 4
    """Number of campaigns whose jobs run at the same time; campaigns with a Kueue queue do not
    count."""
    cpu_request: Quantity = "50m"
    """CPU request."""
    memory: Quantity = "512Mi"
    """Memory limit."""
    memory_request: OptionalQuantity = "128Mi"
    """Memory request; the limit when empty."""
    priority_class_name: OptionalName = ""
    """Existing PriorityClass of its Pods; the cluster's default when empty."""
