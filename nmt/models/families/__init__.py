"""Model families: every supported architecture is an entry in `known`."""

from nmt.models.families.family import Family
from nmt.models.families.head import device_of, max_positions, unwrap
from nmt.models.families.known import (
    ENCODERS,
    FAMILIES,
    INDIC_TRANS,
    NLLB,
    SUPPORTED,
    WARM_START,
    family_named,
    family_of,
)

__all__ = [
    "ENCODERS",
    "FAMILIES",
    "INDIC_TRANS",
    "NLLB",
    "SUPPORTED",
    "WARM_START",
    "Family",
    "device_of",
    "family_named",
    "family_of",
    "max_positions",
    "unwrap",
]
