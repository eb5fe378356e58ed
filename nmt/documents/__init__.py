"""Documents: their texts are translated and put back, and everything else stays as it was."""
