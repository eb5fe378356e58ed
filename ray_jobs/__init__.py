"""What `ray job submit` and the command line run: every step of the project, on Ray."""

import logging

# It warns on import, before a command can set up its log, of a kernel that no job here uses.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
