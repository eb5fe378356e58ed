"""The bodies of requests: read within their limits, and parsed."""
