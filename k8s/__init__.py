"""Operator scripts on the official client; never imports ray_jobs."""
