"""The memory, time and cost of a training, estimated without weights, data or a GPU."""
