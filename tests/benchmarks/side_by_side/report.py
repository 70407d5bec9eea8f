"""docs/benchmarks.md."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.side_by_side import table
from tests.benchmarks.side_by_side.environment import Peer
from tests.benchmarks.side_by_side.programs import OURS, PEER_CYCLES
from tests.benchmarks.side_by_side.starts import SEED, SHAKE_RMSD
from tests.benchmarks.side_by_side.summary import summary

TEXT = """# Side by side with servalcat

{date}. Refinement Workbench {ours}; servalcat {servalcat}, `refine_xtal_norefmac`, {cycles} cycles, with its defaults
and, as `servalcat_aniso`, with `--adp aniso`. Made by

    python -m tests.benchmarks.side_by_side --output FOLDER --report

which makes the peer's environment in FOLDER (servalcat {servalcat}, cctbx-base {cctbx}, and the monomer library that
coot-headless-api {coot} carries). Runs stored in FOLDER that still hold are not repeated; `--fresh` repeats them.

## What is compared

* Both programs get the same reflection file (F, sigma, test set), model and dictionaries, one core and one thread, and
  their defaults otherwise. Starts: `given`, the model as supplied; `shaken`, without hydrogens, every atom moved by
  {shake} A (r.m.s., three dimensions, seed {seed}), every B the mean B.
* **R factors** by one scorer for both outputs: hydrogens and charges of the program are taken off, riding hydrogens
  added by gemmi from one library (not hydroxyl and water ones), then mmtbx's bulk solvent and scaling
  (`update_all_scales`, no outlier dropped), all observed reflections. As in mmtbx the test reflections have an overall
  scale of their own.
* **-LL free**: mean negative log-likelihood of a test reflection, from the scorer's |F_model|; Rice and Woolfson
  distributions with the error of measurement, sigma_A fitted in bins of some 60 test reflections for each model alike.
* **dR_free** stands beside a peer: R_free of ours minus R_free of that peer, its **sigma** by a paired bootstrap over
  the test reflections, **z** their ratio. Negative: ours is better.
* **Bonds, angles**: r.m.s. deviation and r.m.s. Z, without hydrogens, by one gemmi script with one library.
  **Rama out**: Ramachandran outliers of residues judged (mmtbx ramalyze).
* **user s, wall s, MB**: of the whole job from process start to files written, from the operating system; memory is the
  peak of the process tree. Kernels were compiled before. Wall times were taken {load} and mean
  little where that is above the number of cores. **user/ours**: the peer's user seconds over ours.
* **to -LL s**: user seconds of ours until its free -LL was as good as the peer's final one. F is not stored for every
  cycle, so this takes the curve of our own statistics relative to its value at the kept cycle, shifted by the
  difference of the two scored values.

## Before reading the figures

* i213_3io0 and crabp_1cbs: R_free of the supplied model lies close to R_work; their test sets are hardly independent of
  the model. The supplied models of ptp1b_7rin, rsbs_3zt9, hewl_ssad and bgl_4iid are finished ones.
* The workbench keeps anisotropic atoms where the test set supports them, and lets the test set steer the weight of the
  restraints of B. R_free then has had a part in the choice of the model (one yes or no, and one number) and is a little
  lower than a fresh test set would give; the peer beside it had no such choice.
* hewl_ssad, shaken: the noise leaves C of Val 120 and N of Gln 121 (A) 2.03 A apart. gemmi, which makes the topology of
  the peer, sees a chain gap there and links only conformer B; the scorer finds the two at 1.8 to 2.0 A and counts the
  bond. It alone makes the bonds' Z of the peer's rows. The workbench bonds consecutive residues up to 3 A.

## Summary

{summary}

## With riding hydrogens

{table}

## Without hydrogens

{bare}
"""


def write_report(path: Path, rows: Sequence[table.Row], peer: Peer, label: str) -> None:
    """Write the report of the rows, with date and versions."""
    # Variants are stored under labels of their own; the report knows one program of ours.
    rows = [replace(row, program=OURS) if row.program == label else row for row in rows]
    label = OURS
    about = next((row.result["program"] for row in rows if row.program == label), {})
    ours = " ".join(x for x in (about.get("version", "").split(" ")[-1], f"({about.get('commit')})") if x != "()")
    loads = [row.result["measured"]["load"] for row in rows if "measured" in row.result]
    load = f"at a load average of {min(loads):.1f} to {max(loads):.1f}" if loads else "nowhere"
    text = TEXT.format(
        date=time.strftime("%Y-%m-%d"), ours=ours or "not run", servalcat=peer.versions["servalcat"],
        cctbx=peer.versions["cctbx-base"], coot=peer.versions["coot-headless-api"], cycles=PEER_CYCLES,
        shake=SHAKE_RMSD, seed=SEED, load=load, summary="```\n" + "\n".join(summary(rows, label)) + "\n```",
        table=table.markdown(rows), bare=table.markdown_without_hydrogens(rows),
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")
