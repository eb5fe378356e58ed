"""Where the processes of a command look for modules: not in the folder where it was started.

Imports nothing that such a folder could replace.
"""

import os
import sys

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
_ROOT = os.path.dirname(_PACKAGE)  # noqa: PTH120
_STANDARD_LIBRARY = os.path.dirname(os.__file__)  # noqa: PTH120


def leave_folder_of_the_user() -> None:
    """Take the working folder out of this process's module path where `python -m` has put it.

    The modules of a folder that was sent with a job stay in front, as does a checkout that is
    not installed: this package itself was found there.
    """
    if sys.argv[:1] == ["-m"] and not own_folder():
        del sys.path[0]


def own_folder() -> list[str]:
    """Return the folder of this package if other processes would not find it by themselves."""
    # They find a package that is installed or named in PYTHONPATH. Only this process knows the
    # folder if `python -m` in a checkout, or a test, has put it on the module path.
    path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100 - '' is this folder
    told = path.index(_STANDARD_LIBRARY) if _STANDARD_LIBRARY in path else len(path)
    everywhere = [*os.environ.get("PYTHONPATH", "").split(os.pathsep), *path[told:]]
    return [_ROOT] if _ROOT in path[:told] and _ROOT not in everywhere else []
