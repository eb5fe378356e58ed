"""Parsing of Kubernetes quantities. Pure."""

import re
from decimal import Decimal

from nmt.errors import InputError

_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE]?)$")
_UNITS = {
    **{unit: Decimal(1000) ** power for power, unit in enumerate("num", start=-3)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("", *"kMGTPE"))},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}


def parse_quantity(quantity: str) -> Decimal:
    """Parse a quantity like `500m`, `16Gi`, `1k` or `1e3`.

    Raises:
        InputError: the text is not a quantity.
    """
    found = _QUANTITY.match(quantity)
    if found is None:
        raise InputError(f"'{quantity}' is not a Kubernetes quantity")
    number, unit = found.groups()
    return Decimal(number) * _UNITS[unit] if unit in _UNITS else Decimal(number + unit)
