"""The files of a base model: where they are, and whether they have changed."""
