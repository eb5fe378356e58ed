"""The translation of single sentences, and their content put together again."""
