"""The data sets: files, columns and what else a program needs to be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSet:
    """One crystal.

    model, data: file names inside the folder of the set.
    amplitude: label of F, its sigma in `sigma`; `pair`: F(+), sigF(+), F(-), sigF(-) where there is no mean column;
    intensity: I and sigI where there are no amplitudes at all (French and Wilson 1978, by `servalcat fw`).
    flag: label of the test set; its value is 0 in every set.
    dictionaries: restraint files beside the data. components: monomers that the peer's library lacks, looked for in the
    folder of further dictionaries.
    apart: judged by its own criterion, left out of the summary over all sets.
    """

    name: str
    model: str
    data: str
    flag: str
    amplitude: str = ""
    sigma: str = ""
    pair: tuple[str, str, str, str] | None = None
    intensity: tuple[str, str] | None = None
    dictionaries: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    apart: bool = False


SETS = (
    DataSet("rnasa", "tutorial-modern.pdb", "rnasa-1.8-all_refmac1.mtz", "FreeR_flag", "FGMP18", "SIGFGMP18"),
    DataSet(
        "lyso_c2", "moorhen-tutorial-structure-number-3.pdb", "moorhen-tutorial-map-number-3.mtz", "FREER", "F", "SIGF"
    ),
    DataSet(
        "mdm2_unfinished", "moorhen-tutorial-structure-number-2.pdb", "moorhen-tutorial-map-number-2.mtz", "FREE",
        "FP", "SIGFP", dictionaries=("NUT.cif",),
    ),
    DataSet("crabp_1cbs", "1cbs.cif.gz", "1cbs_map.mtz", "FREE", "FP", "SIGFP", components=("REA",)),
    DataSet(
        "hewl_ssad", "RTSAD_HEWL_refine_25.pdb", "RTSAD_HEWL_refine_25.mtz", "R-free-flags",
        pair=("F-obs-filtered(+)", "SIGF-obs-filtered(+)", "F-obs-filtered(-)", "SIGF-obs-filtered(-)"),
    ),
    DataSet("rsbs_3zt9", "3zt9.cif", "r3zt9sf.ent", "pdbx_r_free_flag", "F_meas_au", "F_meas_sigma_au"),
    DataSet(
        "ca_8ola", "8OLA_ADP15.mmcif", "8OLA-sf.mtz", "FreeR_flag", "FP", "SIGFP", dictionaries=("8OLA_A1H69.cif",)
    ),
    DataSet("i213_3io0", "before.pdb", "3io0-sf.mtz", "R-free-flags", "FOBS", "SIGFOBS"),
    DataSet("gp350_2h6o", "2h6o.pdb", "2h6o_phases.mtz", "FREE", "FP", "SIGFP", components=("NDG",)),
    DataSet("ptp1b_7rin", "7rin.pdb", "7rin_phases.mtz", "FREE", "FP", "SIGFP"),
    DataSet("baz2b_x828", "BAZ2B.pdb", "nt5073v16_xBAZ2BAx8281_free.mtz", "FreeR_flag", "F", "SIGF", apart=True),
    DataSet(
        "il1b_1l2h_twin", "1l2h.cif.gz", "1l2h.mtz.gz", "FreeR_flag", intensity=("IMEAN", "SIGIMEAN"), apart=True
    ),
    DataSet("bgl_4iid", "4iid.pdb", "4iid.mtz", "FREE", "FP", "SIGFP", components=("MRD", "NOJ")),
)  # fmt: skip
"""Small sets first, the largest last: the order in which they are run."""


def chosen(names: str) -> list[DataSet]:
    """The sets of a comma-separated list ('all': every one). Raises ValueError for a name that is not one."""
    if names == "all":
        return list(SETS)
    known = {data_set.name: data_set for data_set in SETS}
    wanted = [name for name in names.split(",") if name]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(f"no such set: {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in wanted]
