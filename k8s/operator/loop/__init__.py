"""What a controller needs around its decisions: watches, a queue, an election, metrics."""
