"""The API keys of an endpoint: who may call it, for what, and how often."""
