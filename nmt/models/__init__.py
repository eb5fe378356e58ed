"""Models: the families known here, the tiny one built on the spot, adapters, tokenized pairs."""
