"""Settings of the model."""

from pydantic import Field, field_validator

from nmt.config.section import PositiveInt, Section


class ModelConfig(Section):
    """The model to fine-tune."""

    name_or_path: str = "tiny"
    """Hub name, local folder, or `tiny`: a small model that the run itself builds and trains."""
    revision: str | None = None
    """Branch, tag or commit of a hub model; set it to make results reproducible."""
    max_source_tokens: int = Field(default=128, ge=8, le=1024)
    """Maximum source length; longer training pairs are dropped and counted."""
    max_target_tokens: int = Field(default=128, ge=8, le=1024)
    """Maximum target length; longer training pairs are dropped and counted."""
    base_steps: PositiveInt = 700
    """Number of optimizer updates that train the `tiny` model from scratch."""
    base_learning_rate: float = Field(default=3e-3, gt=0, lt=1)
    """Peak learning rate of these updates."""
    vocabulary_size: int = Field(default=800, ge=200, le=64_000)
    """Vocabulary size of the `tiny` model."""

    @field_validator("name_or_path")
    @classmethod
    def _not_empty(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("is empty: give a hub name, a folder, or 'tiny'")
        return name

    @property
    def is_tiny(self) -> bool:
        """Tell whether the step `base` builds the model."""
        return self.name_or_path == "tiny"
