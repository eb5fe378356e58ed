"""From what is observed of a campaign to what has to be done: pure."""
