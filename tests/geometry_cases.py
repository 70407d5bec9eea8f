"""Real models with their restraints, made once for all tests that ask."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import gemmi

from workbench.core.crystal import Model
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.topology import HydrogenMode, build_geometry
from workbench.io.models import read_model
from workbench.io.monomers import read_monomers

CASES: dict[str, tuple[str, ...]] = {
    "rnasa": ("rnasa/tutorial-modern.pdb",),
    "lyso_c2": ("lyso_c2/moorhen-tutorial-structure-number-3.pdb",),
    "mdm2_finished": ("mdm2_finished/4hg7.pdb", "mdm2_finished/NUT.cif"),
    "mdm2_unfinished": ("mdm2_unfinished/moorhen-tutorial-structure-number-2.pdb", "mdm2_unfinished/NUT.cif"),
    "ptp1b": ("ptp1b_7rin/7rin.pdb",),
    "crabp": ("crabp_1cbs/1cbs.cif.gz",),
    "ca_8ola": ("ca_8ola/8OLA_ADP15.mmcif", "ca_8ola/8OLA_A1H69.cif"),
    "bgl": ("bgl_4iid/4iid.pdb",),
    "i213": ("i213_3io0/before.pdb",),
    "gp350": ("gp350_2h6o/2h6o.pdb",),
    "rsbs": ("rsbs_3zt9/3zt9.cif",),
    "fdx": ("fdx_1dur/1dur.pdb",),
    "hewl": ("hewl_ssad/RTSAD_HEWL_refine_25.pdb",),
    "gamma": ("gamma/gamma_model.pdb",),
    "il1b": ("il1b_1l2h_twin/1l2h.cif.gz",),
    "pep_5e5z": ("pep_5e5z/5e5z.pdb",),
    "pep_5wkd": ("pep_5wkd/5wkd.pdb",),
    "pep_6mw0": ("pep_6mw0/6mw0.cif",),
    "pep_7n2l": ("pep_7n2l_p1/7n2l.pdb",),
    "zdna": ("zdna_1v9g_neutron/1v9g-spk.cif.gz",),
}


@cache
def case_model(folder: Path, name: str) -> Model:
    """The model of a case as it is read."""
    return read_model(str(folder / CASES[name][0]))


def library(model: Model, *dictionaries: str) -> gemmi.MonLib:
    """The library for a model."""
    return read_monomers(model.residues.name.tolist(), dictionaries).library


@cache
def case_geometry(folder: Path, name: str, hydrogens: HydrogenMode) -> GeometryDescription:
    """The restraints of a case."""
    model = case_model(folder, name)
    dictionaries = [str(folder / path) for path in CASES[name][1:]]
    return build_geometry(model, library(model, *dictionaries), {}, hydrogens)
