"""Peak memory of this process."""

from __future__ import annotations

import sys


def peak_memory_mb() -> float:
    """Largest resident memory so far in megabytes (NaN where the system does not tell)."""
    if sys.platform == "win32":
        return _peak_windows()
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (2**20 if sys.platform == "darwin" else 2**10)


def _peak_windows() -> float:
    """PeakWorkingSetSize of GetProcessMemoryInfo (psapi)."""
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = [
            ("cb", ctypes.c_ulong),
            ("PageFaultCount", ctypes.c_ulong),
            *[
                (name, ctypes.c_size_t)
                for name in (
                    "PeakWorkingSetSize", "WorkingSetSize", "QuotaPeakPagedPoolUsage", "QuotaPagedPoolUsage",
                    "QuotaPeakNonPagedPoolUsage", "QuotaNonPagedPoolUsage", "PagefileUsage", "PeakPagefileUsage",
                )
            ],
        ]  # fmt: skip

    counters = Counters()
    counters.cb = ctypes.sizeof(Counters)
    loader = getattr(ctypes, "windll", None)
    if loader is None:
        return float("nan")
    kernel32 = loader.kernel32
    kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    known = kernel32.K32GetProcessMemoryInfo(
        ctypes.c_void_p(kernel32.GetCurrentProcess()), ctypes.byref(counters), counters.cb
    )
    return float(counters.PeakWorkingSetSize) / 2**20 if known else float("nan")
