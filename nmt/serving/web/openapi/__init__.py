"""The OpenAPI document of the endpoint, and the same as a web page."""
