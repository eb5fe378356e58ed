"""Engines: exported models with all that is needed to translate with them."""
