"""Kubernetes objects, built from a release and a submission."""
