"""Models: families, loading, adapters, tokenization, and a tiny model built without a hub."""

from nmt.models.library_logs import quiet_libraries

# At import time, since the libraries warn before a command can configure logging.
quiet_libraries()
