"""Models: the families known here, the tiny one built on the spot, adapters, tokenized pairs."""

import logging

# Both warn on import, before a command can set up its log: of a kernel that is not used here, and
# that there is no GPU. DeepSpeed sets its logger's level itself, hence the filter.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
logging.getLogger("DeepSpeed").addFilter(lambda record: record.levelno >= logging.ERROR)
