"""A client for the HTTP API of an endpoint."""
