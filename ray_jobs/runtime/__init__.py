"""What each command on Ray needs before and around its work."""
