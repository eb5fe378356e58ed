"""Access to files: packed, in archives, and with any line ends."""
