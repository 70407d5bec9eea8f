"""What a run tells in words: what was read, and one line for each cycle. Window, command line and log share it."""

from __future__ import annotations

import math

from workbench.core.events import CycleStatistics, Prepared
from workbench.core.words import counted
from workbench.session.chemistry import links_line, sources_line

NONE = "-"
"""Where there is nothing to measure: the bonds of a model of single atoms."""
KINDS = ("protein", "nucleic", "sugar", "ligand", "ion", "water")


def prepared_lines(event: Prepared) -> list[str]:
    """What was read, in a few lines: crystal, data, model, test set, restraints and links."""
    data, model = event.reflections, event.model
    kinds = dict.fromkeys(KINDS, 0)
    for kind in model.residues.kind.tolist():
        kinds[kind] = kinds.get(kind, 0) + 1
    contents = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    cell = " ".join(f"{value:.2f}" for value in model.crystal.cell)
    lines = [
        f"Crystal   {model.crystal.space_group}, cell {cell}",
        f"Data      {counted(len(data), 'reflection')}, {data.d_max:.2f} to {data.d_min:.2f} A, "
        f"{100 * data.completeness:.1f} % complete; {data.columns.amplitude}, {data.columns.sigma}",
        f"Model     {counted(len(model), 'atom')} in {counted(len(model.residues), 'residue')} ({contents})",
    ]
    if data.has_free:
        count = int(data.free.sum())
        value = data.columns.free_value
        lines.append(
            f"Test set  {counted(count, 'reflection')}; {data.columns.free}" + ("" if value is None else f" = {value}")
        )
        lines[-1] += f": {event.inputs.free_reason}" if event.inputs.free_reason else ""
    else:
        lines.append("Test set  none")
    if event.likelihood_words:
        lines.append(f"Target    {event.likelihood_words}")
    lines.append(f"Chemistry {sources_line(event)}")
    if event.links:
        lines.append(f"Links     {links_line(event.links)}")
    return lines


def number(value: float, form: str, unit: str = "") -> str:
    """The value in a format, with its unit; a dash as wide where there is none."""
    if math.isfinite(value):
        return f"{value:{form}}{unit}"
    width = form.partition(".")[0]
    return f"{NONE:>{width}s}" if width else NONE


def geometry_words(row: CycleStatistics) -> str:
    """Bonds and angles with their rmsZ; says so where the model has none."""
    if not math.isfinite(row.rmsd_bonds):
        return "no bonds in the model"
    angles = f"{number(row.rmsd_angles, '.2f', ' deg')}, rmsZ {number(row.rmsz_angles, '.2f')}"
    return f"bonds {row.rmsd_bonds:.4f} A, rmsZ {row.rmsz_bonds:.2f}; angles {angles}"


def cycle_sentence(row: CycleStatistics) -> str:
    """One cycle as it stands in the log of the window."""
    free = f", R_free {row.r_free:.4f}" if math.isfinite(row.r_free) else ""
    moved = f", largest shift {row.max_shift:.3f} A" if row.max_shift > 0 else ""
    bonds, angles = number(row.rmsd_bonds, ".4f", " A"), number(row.rmsd_angles, ".2f", " deg")
    return (
        f"Cycle {row.cycle}: R_work {row.r_work:.4f}{free}, bonds {bonds}, angles {angles}, "
        f"weight {row.xray_weight:.3g}, mean B {row.mean_b:.1f} A^2{moved}"
    )


def final_line(start: CycleStatistics, kept: CycleStatistics) -> str:
    """The numbers of the model that is written, beside those of the start of the run."""
    text = f"Final     cycle {kept.cycle}: R_work {kept.r_work:.4f}"
    if math.isfinite(kept.r_free):
        text += f", R_free {kept.r_free:.4f} (start {start.r_work:.4f}, {start.r_free:.4f})"
    else:
        text += f" (start {start.r_work:.4f})"
    text += f"; {geometry_words(kept)}"
    if abs(kept.r_work_riding_h - kept.r_work) > 5e-5:
        with_h = [kept.r_work_riding_h, kept.r_free_riding_h]
        text += f"; with riding hydrogens {', '.join(f'{r:.4f}' for r in with_h if math.isfinite(r))}"
    return text
