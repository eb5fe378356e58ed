"""How a command under test is started where it shall be interrupted."""

import signal


def take_ctrl_c() -> None:
    """For `preexec_fn`: a test run in a shell's background hands on that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
