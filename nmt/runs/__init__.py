"""What a run is: its steps, paths, records and results."""
