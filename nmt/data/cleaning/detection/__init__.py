"""What the rules look for in texts."""
