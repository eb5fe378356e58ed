"""Settings of the translation endpoint."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from nmt.config.section import PositiveInt, Section
from nmt.config.sections.provenance import refuse_private_key

_LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


class ServingConfig(Section):
    """The translation endpoint."""

    name: str = Field(default="default", pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")
    """Name of the endpoint, whose traffic file says what it serves."""
    host: str = "127.0.0.1"
    """Address that the endpoint listens on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port that the endpoint listens on; 0 picks a free one."""
    poll_seconds: float = Field(default=2.0, gt=0)
    """Time between two reads of the traffic file."""
    min_replicas: PositiveInt = 1
    """Minimum number of replicas."""
    max_replicas: PositiveInt = 2
    """Maximum number of replicas."""
    target_requests: PositiveInt = 16
    """Target number of concurrent requests per replica; at a higher load a replica is added."""
    upscale_delay_seconds: float = Field(default=10.0, ge=0)
    """How long the load must be high before a replica is added."""
    downscale_delay_seconds: float = Field(default=300.0, ge=0)
    """How long the load must be low before a replica is removed."""
    cpus_per_replica: float = Field(default=1, gt=0)
    """CPUs that each replica reserves; also its number of threads."""
    gpus_per_replica: float = Field(default=0, ge=0)
    """GPUs that each replica reserves."""
    beam_size: int = Field(default=1, ge=1, le=16)
    """Number of beams; 1 is greedy decoding."""
    length_penalty: float = Field(default=1.0, ge=0, le=10)
    """Exponent of the length by which beam search divides a score: above 1 favours long output."""
    max_batch_tokens: PositiveInt = 1024
    """Maximum number of source tokens in a batch, padding included."""
    max_requests: PositiveInt = 64
    """Maximum number of requests that a replica works on at once; above it, requests get a 503."""
    max_queued_tokens: PositiveInt = 65_536
    """Maximum number of source tokens that wait in a replica; above it, requests get a 503."""
    max_texts: PositiveInt = 128
    """Maximum number of texts in a request."""
    max_characters: PositiveInt = 20_000
    """Maximum number of characters in a request, over all its texts."""
    request_timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    """Time after which a request gets a 504."""
    max_engine_gib: float = Field(default=4.0, gt=0)
    """Memory that the engines of a replica may take together. Engines that are kept for a rollback
    are unloaded first, then shadows, then canaries; an engine that answers is never unloaded."""
    max_document_mib: PositiveInt = 20
    """Maximum size of a document that is uploaded; text formats are limited to 10 MiB."""
    max_document_characters: PositiveInt = 1_000_000
    """Maximum number of characters to translate in a document."""
    max_documents: PositiveInt = 100
    """Maximum number of documents that wait or are being translated; above it, new ones get a
    503."""
    document_retention_hours: float = Field(default=1.0, gt=0)
    """Time after which a document and its translation are deleted, counted from its end."""
    feedback: bool = False
    """Whether ratings and corrections of translations are stored, with the texts of their
    requests."""
    cache_mib: int = Field(default=32, ge=0)
    """Memory for translations that a replica remembers; 0 remembers none."""
    require_keys: bool | None = None
    """Whether requests need an API key; unset: unless `host` is a loopback address."""
    cors_origins: tuple[str, ...] = ()
    """Origins of web pages that may call the endpoint from a browser, such as
    `https://example.org`; `*` allows all."""
    access_log: bool = True
    """Whether each replica writes a line about each request, without its text."""
    public_key: str | None = Field(default=None, min_length=1)
    """Public key in PEM, as text or as the path of a file. If it is set, replicas load only
    engines that the private key has signed, and `promote` refuses others. Of several keys, one
    after the other, each is accepted. Unset: engines need no signature."""

    @field_validator("public_key")
    @classmethod
    def _is_public(cls, value: str | None) -> str | None:
        return refuse_private_key(value)

    @property
    def needs_keys(self) -> bool:
        """Tell whether requests need an API key."""
        if self.require_keys is not None:
            return self.require_keys
        return self.host not in _LOOPBACK_HOSTS

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"min_replicas ({self.min_replicas}) must not be above "
                f"max_replicas ({self.max_replicas})"
            )
        return self
