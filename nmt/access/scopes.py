"""What an API key can allow."""

from typing import Literal, get_args

Scope = Literal["translate", "feedback", "admin"]
"""`translate` sends texts, `feedback` rates translations, `admin` reads metrics and does both."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
