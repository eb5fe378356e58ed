"""Where a training leaves its best weights. Imports no torch: its driver asks this too."""


def best_path(folder: str) -> str:
    """Where a training leaves its best weights, as a folder commit."""
    return f"{folder}/best"
