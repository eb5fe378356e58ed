"""Peak resident memory of this process since a reset (Linux)."""

from pathlib import Path

GIB = 2**30


def reset_peak() -> int:
    """Reset the peak and return the resident bytes at this moment."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # 5 sets VmHWM to VmRSS
    return peak()


def peak() -> int:
    """Read the peak of resident bytes since the last reset."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status has no VmHWM: this benchmark needs Linux")
