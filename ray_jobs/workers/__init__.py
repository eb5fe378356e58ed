"""The worker processes of a training: their group, and the stop requests that reach them."""
