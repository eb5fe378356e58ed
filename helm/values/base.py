"""The base of all values, and the types of their keys."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from k8s.objects.limits import MAX_SECONDS

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$")]
"""A Kubernetes quantity: `500m`, `2Gi`."""
OptionalQuantity = Annotated[str, Field(pattern=r"^([0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?)?$")]
ObjectName = Annotated[str, Field(pattern=rf"^{_SUBDOMAIN}$", max_length=253)]
OptionalName = Annotated[str, Field(pattern=rf"^({_SUBDOMAIN})?$", max_length=253)]
# Short, because it becomes part of the names of Pods, which have at most 63 characters.
GroupName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$")]
Seconds = Annotated[int, Field(gt=0, le=MAX_SECONDS)]
# KubeRay reads no object whose numbers have more than 32 bits, and then none of the same kind.
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Positive = Annotated[int, Field(gt=0, le=2**31 - 1)]
Ports = Annotated[list[Annotated[int, Field(ge=1, le=65535)]], Field(min_length=1)]
Cidr = Annotated[str, Field(pattern=r"^[0-9a-fA-F:.]+/[0-9]{1,3}$")]
"""A range of addresses: `10.0.0.0/8`, `fc00::/7`."""


# httpx, with which the hub's files are fetched, ends with an error at a range of IPv6 in NO_PROXY.
DirectAddress = Annotated[str, Field(pattern=r"^([^\s,:/]+(/[0-9]{1,2})?|[0-9a-fA-F:.]+)$")]
"""A host, a domain, an address or a range of IPv4 addresses: `.corp.example`, `10.0.0.0/8`."""


class Values(BaseModel):
    """A part of the values; unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        alias_generator=to_camel,
        populate_by_name=True,
        validate_default=True,  # a wrong default is then found by every test, not by a release
    )
