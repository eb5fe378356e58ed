"""XLIFF 1.x and 2.x: targets are written, and everything else stays as it was."""
