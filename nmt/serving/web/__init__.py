"""The web application of the endpoint: its operations, errors, documents and page."""
