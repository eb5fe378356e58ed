"""What a training will need: memory, time and cost, reckoned without weights, data or a GPU."""
