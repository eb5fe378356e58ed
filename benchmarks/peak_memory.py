"""Most resident memory of this process within a stretch of its work (Linux)."""

from pathlib import Path

GIB = 2**30


def reset_peak() -> int:
    """Forget the peak so far; the resident bytes now, from which the next peak counts."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # 5: VmHWM falls to VmRSS
    return peak()


def peak() -> int:
    """Most resident bytes since the last reset."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status has no VmHWM: this benchmark needs Linux")
