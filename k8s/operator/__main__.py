"""The module that `python -m k8s.operator` runs."""

import sys

from k8s.operator.main import main

sys.exit(main())
