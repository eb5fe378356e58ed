"""The model that is adapted."""

from pydantic import Field, field_validator

from nmt.config.section import PositiveInt, Section


class ModelConfig(Section):
    """The model that is adapted."""

    name_or_path: str = "tiny"
    """Hub name, local folder, or `tiny`: a small model built and trained on the spot."""
    revision: str | None = None
    """Branch, tag or commit of a hub model; pin it to repeat a result."""
    max_source_tokens: int = Field(default=128, ge=8, le=1024)
    """Training pairs with a longer source are left out and counted."""
    max_target_tokens: int = Field(default=128, ge=8, le=1024)
    """Training pairs with a longer target are left out and counted."""
    base_steps: PositiveInt = 700
    """Optimizer steps that train the `tiny` model from nothing."""
    base_learning_rate: float = Field(default=3e-3, gt=0, lt=1)
    """Peak learning rate of those steps."""
    vocabulary_size: int = Field(default=800, ge=200, le=64_000)
    """Tokens of the `tiny` model's vocabulary."""

    @field_validator("name_or_path")
    @classmethod
    def _not_empty(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("is empty: give a hub name, a folder, or 'tiny'")
        return name

    @property
    def is_tiny(self) -> bool:
        """Whether the model is built by the step `base`."""
        return self.name_or_path == "tiny"
