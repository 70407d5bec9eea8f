"""The five files a run leaves, written together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.events import CycleFinished, CycleStatistics, Prepared
from workbench.core.settings import RefinementSettings
from workbench.engine.cross_validation.verdict import Verdict, context_of, judge_result
from workbench.export.atomic import make_folder, write_together
from workbench.export.model_files import model_files
from workbench.export.program import NAME, program_version
from workbench.export.reflection_file import reflection_file
from workbench.export.statistics import RunTiming, json_text, statistics_document

FILES = ("refined.pdb", "refined.cif", "refined.mtz", "statistics.json", "log.txt")


@dataclass(frozen=True)
class WrittenResults:
    """folder: where. paths: the five files. warnings: what the reader of the files should know. document: the content
    of statistics.json."""

    folder: Path
    paths: tuple[Path, ...]
    warnings: tuple[str, ...]
    document: dict[str, Any]


def write_results(
    directory: str | Path,
    prepared: Prepared,
    final: CycleFinished,
    cycles: Sequence[CycleStatistics],
    log: Sequence[str],
    timing: RunTiming,
    settings: RefinementSettings | None = None,
    verdict: dict[str, Any] | None = None,
    end: str = "",
    warnings: Sequence[str] = (),
) -> WrittenResults:
    """Write refined.pdb, refined.cif, refined.mtz, statistics.json and log.txt of the state `final`.

    All five are made first and then renamed into place; an error leaves none of them half written. end: how the run
    ended, in words. warnings: what was said on the way, for statistics.json. verdict: of the run, as JSON values; by
    default that of `cycles`, and beside it that of `final`, which may be an earlier cycle. Raises InputError when the
    folder cannot be written.
    """
    folder = make_folder(directory)
    models = model_files(prepared, final)
    told: list[str] = []
    result_verdict = None
    if verdict is None and cycles:
        run, result = judge_result(cycles, final.statistics, context_of(prepared))
        verdict, result_verdict = run.document(), result.document()
        if result.cycle == run.cycle:
            told = [_told("Verdict   ", run)]
        else:
            told = [
                _told(f"Verdict on the result, cycle {result.cycle}: ", result),
                _told(f"Verdict on the run at its last cycle, {run.cycle}: ", run),
            ]
    document = statistics_document(
        prepared,
        final.statistics,
        final.written,
        cycles,
        timing,
        settings or prepared.settings,
        verdict=verdict,
        result_verdict=result_verdict,
        warnings=tuple(dict.fromkeys((*warnings, *models.warnings))),
        end=end,
    )
    lines = [f"{NAME} {program_version()}", *log, *told, *(f"WARNING {text}" for text in models.warnings)]
    contents = {
        "refined.pdb": models.pdb.encode("utf-8"),
        "refined.cif": models.mmcif.encode("utf-8"),
        "refined.mtz": reflection_file(prepared, final),
        "statistics.json": json_text(document).encode("utf-8"),
        "log.txt": ("\n".join(lines) + "\n").encode("utf-8"),
    }
    paths = write_together(folder, contents)
    return WrittenResults(folder, paths, models.warnings, document)


def _told(begin: str, verdict: Verdict) -> str:
    return f"{begin}{verdict.title}: {verdict.sentence} {verdict.remedy}".rstrip()


__all__ = ["FILES", "RunTiming", "WrittenResults", "write_results"]
