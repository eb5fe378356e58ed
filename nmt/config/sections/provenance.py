"""Settings of the record of where an engine comes from."""

from pydantic import Field, field_validator

from nmt.config.section import Section, secret_error


class ProvenanceConfig(Section):
    """The signed record of where each exported engine comes from."""

    private_key: str | None = Field(default=None, min_length=1)
    """File with the private key (PEM, elliptic curve P-256, P-384 or P-521) with which `export`
    signs each engine and the record of its origin, and `evaluate` and `gate` sign it again; a
    passphrase is read from the variable `NMT_PRIVATE_KEY_PASSPHRASE`. Unset: engines are not
    signed."""

    @field_validator("private_key")
    @classmethod
    def _is_path(cls, value: str | None) -> str | None:
        return refuse_private_key(value)


def refuse_private_key(value: str | None) -> str | None:
    """Return a value, unless it is the text of a private key.

    Raises:
        PydanticCustomError: it is; the message does not quote it.
    """
    if value is not None and "PRIVATE KEY-----" in value:
        raise secret_error(
            "is the text of a private key, which would appear in logs: give the path of its file"
        )
    return value
