"""The files of a training on the storage root: checkpoints, published weights and records."""
