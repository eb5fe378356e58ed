"""What keeps a job going inside of its Ray cluster, and ends it at its deadline."""
