"""What a run found, for people: its summary, its lines on a terminal, its page."""
