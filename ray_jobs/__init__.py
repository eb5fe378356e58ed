"""What `ray job submit` and the command line run: every step of the project, on Ray."""
