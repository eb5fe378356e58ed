"""Glossaries that an endpoint keeps under a name, for requests to choose from."""
