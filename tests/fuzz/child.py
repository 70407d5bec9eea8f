"""The process that reads: one line "kind path" in, one line of JSON out."""

from __future__ import annotations

import json
import resource
import sys
import time
import traceback
import warnings
from typing import Any

from workbench.core.crystal import Crystal
from workbench.core.errors import WorkbenchError
from workbench.core.settings import DataOptions
from workbench.engine.data_quality.report import assess
from workbench.io.models import read_model
from workbench.io.reflections import read_reflections

MEMORY = 1 << 31
"""Bytes of address space that a file may cost beyond what the program needs."""
KNOWN = Crystal((10.0, 12.0, 14.0, 90.0, 100.0, 90.0), "P 1 21 1")
"""Of a model beside data that do not say theirs."""


def look(kind: str, path: str) -> dict[str, Any]:
    try:
        if kind in ("pdb", "mmcif"):
            read_model(path)
        else:
            data = read_reflections(path, options=DataOptions(merge=True), model_crystal=KNOWN)
            if len(data) >= 50:
                assess(data)
        return {"result": "read"}
    except WorkbenchError as error:
        whole = bool(error.message and error.remedy and path in error.file and error.exit_code == 1)
        return {"result": "refused" if whole else "incomplete message", "text": str(error)[:300]}
    except Exception as error:
        return {"result": f"traceback: {type(error).__name__}", "text": traceback.format_exc()[-1500:]}


def _peak_kb() -> int:
    """Peak of this process alone: ru_maxrss would begin with that of the one that started it."""
    with open("/proc/self/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main() -> None:
    warnings.simplefilter("error")
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: PTH123, SIM115
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    print(json.dumps({"result": "ready"}), flush=True)
    for line in sys.stdin:
        kind, _, path = line.rstrip("\n").partition(" ")
        began = time.perf_counter()
        found = look(kind, path)
        found["seconds"] = time.perf_counter() - began
        found["memory_mb"] = _peak_kb() >> 10
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
