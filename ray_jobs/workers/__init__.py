"""The worker processes of a training: their group, and how they learn that it has to end."""
