"""statistics.json: the numbers of a run under names that scripts rely on."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.crystal import SourceFile
from workbench.core.events import CycleStatistics, Finished, Prepared, ScaledFactors
from workbench.core.settings import RefinementSettings
from workbench.export.program import NAME, program_version

CYCLE_KEYS = (
    "cycle",
    "r_work",
    "r_free",
    "ll_work",
    "ll_free",
    "rmsd_bonds",
    "rmsz_bonds",
    "rmsd_angles",
    "rmsz_angles",
    "xray_weight",
    "mean_b",
    "max_shift",
    "seconds",
)
"""The keys of every row of `cycles`, fixed; others follow them."""

NOT_JUDGED = {"state": "not judged", "reason": "There are no cycles to judge."}


@dataclass(frozen=True)
class RunTiming:
    """Seconds and megabytes; None where they are not known (a run that has not ended)."""

    prepare_seconds: float | None
    refine_seconds: float | None
    peak_memory_mb: float | None

    @classmethod
    def of(cls, prepared: Prepared, result: Finished | None, cycles: Sequence[CycleStatistics]) -> RunTiming:
        if result is not None and result.peak_memory_mb > 0:
            return cls(prepared.prepare_seconds, result.refine_seconds, result.peak_memory_mb)
        return cls(prepared.prepare_seconds, sum(row.seconds for row in cycles), None)


def cycle_row(statistics: CycleStatistics) -> dict[str, Any]:
    """One row of `cycles`, and `final`: the fixed keys first."""
    row = dataclasses.asdict(statistics)
    row["geometry"] = {family: {"rmsz": z, "count": n} for family, (z, n) in statistics.geometry.items()}
    ordered = {key: row.pop(key) for key in CYCLE_KEYS}
    return {**ordered, **row}


def statistics_document(
    prepared: Prepared,
    final: CycleStatistics,
    factors: ScaledFactors,
    cycles: Sequence[CycleStatistics],
    timing: RunTiming,
    settings: RefinementSettings,
    verdict: dict[str, Any] | None = None,
    result_verdict: dict[str, Any] | None = None,
    warnings: Sequence[str] = (),
    end: str = "",
) -> dict[str, Any]:
    """The whole document, JSON values only (numbers that are not finite become null).

    verdict: of the run, at its last cycle. result_verdict: of `final`, which may be an earlier one; by default the
    same.
    """
    inputs = prepared.inputs
    reflections = prepared.reflections
    columns = reflections.columns
    shells = factors.shells
    document = {
        "program": {"name": NAME, "version": program_version()},
        "cycles": [cycle_row(row) for row in cycles],
        "final": cycle_row(final),
        "shells": [
            {
                "d_max": shells.d_max[i],
                "d_min": shells.d_min[i],
                "n_work": shells.n_work[i],
                "n_free": shells.n_free[i],
                "r_work": shells.r_work[i],
                "r_free": shells.r_free[i],
                "k_iso": shells.k_iso[i],
                "k_mask": shells.k_mask[i],
                "sigma_d": shells.sigma_d[i],
            }
            for i in range(len(shells.d_max))
        ],
        "inputs": {
            "model": _file(inputs.model),
            "data": _file(inputs.data),
            "dictionaries": [_file(source) for source in inputs.dictionaries],
            "columns": inputs.columns,
            "free_set": {
                "label": columns.free if reflections.has_free else None,
                "value": columns.free_value if reflections.has_free else None,
                "reflections": int(np.count_nonzero(reflections.free)),
                "reason": inputs.free_reason,
            },
            "space_group": prepared.model.crystal.space_group,
            "cell": list(prepared.model.crystal.cell),
            "d_min": reflections.d_min,
            "d_max": reflections.d_max,
            "reflections": len(reflections),
            "completeness": reflections.completeness,
            "likelihood": prepared.likelihood,
            "likelihood_reason": prepared.likelihood_words,
            "atoms": len(prepared.model),
            "riding_hydrogens": prepared.riding_hydrogens,
            "restraints": prepared.restraint_counts,
            "components": inputs.component_sources,
            "weak_restraints": prepared.flagged,
            "links": [dataclasses.asdict(link) for link in prepared.links],
        },
        "settings": dataclasses.asdict(settings),
        "timing": dataclasses.asdict(timing),
        "verdict": verdict if verdict is not None else NOT_JUDGED,
        "result_verdict": result_verdict or verdict or NOT_JUDGED,
        "end": end,
        "warnings": list(dict.fromkeys([*warnings, *(f"{name}: {why}" for name, why in prepared.flagged.items())])),
    }
    result = json_value(document)
    assert isinstance(result, dict)
    return result


def json_text(document: object) -> str:
    return json.dumps(json_value(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def json_value(value: Any) -> Any:
    """Plain JSON values: numpy numbers as numbers, NaN and infinities as null, tuples as lists."""
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, np.ndarray):
        return [json_value(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return json_value(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _file(source: SourceFile) -> dict[str, str]:
    return {"path": source.path, "sha256": source.sha256}
