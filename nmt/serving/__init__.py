"""The translation service: engine, batcher, web application. Imports neither torch nor Ray."""
