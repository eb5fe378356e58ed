"""The JSON bodies of requests and answers; their schemas are part of the OpenAPI document."""
