"""Names of the formats of sheets; imports nothing, so that options can name them."""

from typing import Literal, get_args

Format = Literal["csv", "xlsx", "pearmut", "appraise"]
FORMATS: tuple[Format, ...] = get_args(Format)
