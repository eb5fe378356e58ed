"""The endpoint on Ray Serve: its deployments, its start and stop, and a check of it."""
