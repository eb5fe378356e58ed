"""Systems without a training: a translation memory, and the base prompted with examples."""
