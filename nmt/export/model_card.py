"""The model card that is written beside exported weights."""

from pathlib import Path

from nmt.config import Config
from nmt.models.license import license_of


def write_model_card(config: Config, folder: Path) -> None:
    """Write a README.md that names the base model and the licence that the weights inherit."""
    name = config.model.name_or_path
    license_name = license_of(name)
    # Hugging Face reads the heading, and accepts only licences that it knows or `other`.
    (folder / "README.md").write_text(
        f"---\nlicense: {'other' if license_name == 'unknown' else license_name}\n"
        f"base_model: {name}\npipeline_tag: translation\n"
        f"language: [{config.data.source_language}, {config.data.target_language}]\n---\n"
        f"# {config.run}\n\nMade from `{name}`, whose licence it inherits: {license_name}.\n",
        encoding="utf-8",
    )
