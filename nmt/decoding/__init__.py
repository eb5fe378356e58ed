"""From source sentences to hypotheses."""
