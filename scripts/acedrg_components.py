"""Restraints for the components that the CCP4-style library of compile_monomers.py lacks.

    pip install acedrg biotite
    python scripts/acedrg_components.py FOLDER [NAME ...]

Descriptions come from the chemical component dictionary of the wwPDB (CC0) inside the biotite wheel; acedrg (MPL-2.0)
turns each into restraints from its tables of the Crystallography Open Database. FOLDER receives NAME.cif for every
component, and acedrg.log with versions, seconds and failures; components that are there already are kept, so that an
interrupted run goes on. Without NAMEs all of COMPONENTS are made, some ten seconds each. The result is given to
compile_monomers.py with --acedrg FOLDER.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gemmi

COMPONENTS = """
    DAL DAR DSG DAS DCY DGN DGL DHI DIL DLE DLY MED DPN DPR DSN DTH DTR DTY DVA
    HYP CSD OCS CSX SMC CAS MLY M3L MLZ ALY LLP MLE FME NLE ABA ORN SAR NVA AIB BAL TYS CGU NIO
    NDG SIA SLB FUL XYS XYP A2G NGA GLA GCU BDP GCS RAM RIB FRU IDS NOJ SUC TRE
    2MG 5MU H2U OMC OMU 7MG 1MA M2G 5CM I DI DU
    MRD REA HC4 SPK BEN IPH DTT P6G PE4 7PE 2PE CO3 BCT AZI CYN SCN URE GAI CAC TLA MLA SIN FUM MLT LAC PYR AKG OXL BCN
    CXS NHE PIN MPO B3P PGO BU3 PDO EOH MOH POL DIO ACN NH4 OXY PER NO2 TAR FLC POP PPV GSH SPM SPD PUT BTN CAF SAL IBP
    UDP UMP 5GP IMP TMP CMP GNP ACP AGS ADN ADE GUN THM TPP LDA BOG MYR PLM OLA STE VO4 WO4 BO3 ALF BEF MGF
    UTP TTP CTP C5P DTP DCP DGT 12P 15P TOE ACO MTX FOL LMT TEP STU NCA
""".split()  # noqa: SIM905

CHECKED = ("ALA", "PHE", "GOL", "CIT", "NAG", "PLP")
"""Components the CCP4-style library has as well: made by acedrg too, to compare (compile_monomers.py logs it)."""

DOUBTFUL = 0.19
"""Angstrom; a bond further from that of the wwPDB's idealised coordinates makes a result doubtful (oxygen and sulfur
that acedrg takes as charged lie up to 0.185 nearer than the neutral ones of the wwPDB)."""

_COLUMNS = {
    "chem_comp": ("id", "name", "type", "formula", "three_letter_code"),
    "chem_comp_atom": (
        "comp_id", "atom_id", "alt_atom_id", "type_symbol", "charge", "pdbx_aromatic_flag", "pdbx_leaving_atom_flag",
        "pdbx_stereo_config", "model_Cartn_x", "model_Cartn_y", "model_Cartn_z", "pdbx_model_Cartn_x_ideal",
        "pdbx_model_Cartn_y_ideal", "pdbx_model_Cartn_z_ideal", "pdbx_ordinal",
    ),
    "chem_comp_bond": (
        "comp_id", "atom_id_1", "atom_id_2", "value_order", "pdbx_aromatic_flag", "pdbx_stereo_config", "pdbx_ordinal",
    ),
}  # fmt: skip


def describe(name: str, path: Path) -> bool:
    """Write the wwPDB's description of a component as CIF; False when it has none."""
    from biotite.structure.info.ccd import get_from_ccd

    document = gemmi.cif.Document()
    block = document.add_new_block(name)
    for category, wanted in _COLUMNS.items():
        table = get_from_ccd(category, name)
        if table is None:
            if category == "chem_comp_bond":
                continue
            return False
        tags = [tag for tag in wanted if tag in table]
        columns = [table[tag].as_array() for tag in tags]
        masks = [table[tag].mask.array if table[tag].mask is not None else None for tag in tags]
        rows = [
            [
                "?" if mask is not None and mask[row] else gemmi.cif.quote(str(column[row]).replace("\n", " "))
                for column, mask in zip(columns, masks, strict=True)
            ]
            for row in range(len(columns[0]))
        ]
        if category == "chem_comp":
            for tag, value in zip(tags, rows[0], strict=True):
                block.set_pair(f"_{category}.{tag}", value)
        else:
            loop = block.init_loop(f"_{category}.", tags)
            for row in rows:
                loop.add_row(row)
    document.write_file(str(path))
    return True


def doubt(name: str, made: Path) -> str:
    """Why a result is not to be trusted, or "": no angles (acedrg has none around metals), or a bond far from that of
    the wwPDB's idealised coordinates."""
    from biotite.structure.info.ccd import get_from_ccd

    monomers = gemmi.MonLib()
    monomers.read_monomer_doc(gemmi.cif.read(str(made)))
    definition = monomers.monomers[name]
    if len(definition.atoms) > 2 and not len(definition.rt.angles):
        return "no angles"
    table = get_from_ccd("chem_comp_atom", name)
    xyz = [table[f"pdbx_model_Cartn_{axis}_ideal"].as_array(float, float("nan")) for axis in "xyz"]
    place = {atom: gemmi.Position(*xyz_of) for atom, *xyz_of in zip(table["atom_id"].as_array(), *xyz, strict=True)}
    hydrogens = {atom.id for atom in definition.atoms if atom.is_hydrogen()}
    for bond in definition.rt.bonds:
        ends = (bond.id1.atom, bond.id2.atom)
        if hydrogens & set(ends) or not all(end in place for end in ends):
            continue
        ideal = place[ends[0]].dist(place[ends[1]])
        if abs(bond.value - ideal) > DOUBTFUL:
            return f"{ends[0]}-{ends[1]} {bond.value:.3f} A, {ideal:.3f} A in the wwPDB's ideal coordinates"
    return ""


def make(name: str, folder: Path, limit: float) -> str:
    """Make NAME.cif in the folder; the line for the log."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        if not describe(name, Path(scratch) / f"{name}.cif"):
            return f"{name} not in the chemical component dictionary"
        program = Path(sys.executable).with_name("acedrg")  # `python -m acedrg` does not find its tables
        command = [str(program), "-c", f"{name}.cif", "-r", name, "-z", "-o", "made"]
        try:
            done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return f"{name} failed: more than {limit:.0f} s"
        made = Path(scratch) / "made.cif"
        if not made.is_file() or not gemmi.cif.read(str(made)).find_block(f"comp_{name}"):
            last = (done.stdout + done.stderr).strip().splitlines()[-1:]
            return f"{name} failed: {last[0] if last else 'no output'}"
        why = doubt(name, made)
        if why:
            return f"{name} refused: {why}"
        (folder / f"{name}.cif").write_text(made.read_text())
    return f"{name} made in {time.perf_counter() - began:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make restraints with acedrg from the chemical component dictionary.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=[*COMPONENTS, *CHECKED])
    parser.add_argument("--limit", type=float, default=400.0, help="seconds per component (default 400)")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with (arguments.folder / "acedrg.log").open("a") as log:
        versions = [f"{package} {importlib.metadata.version(package)}" for package in ("acedrg", "biotite")]
        print(", ".join(versions), file=log, flush=True)
        for name in arguments.names:
            if not (arguments.folder / f"{name}.cif").exists():
                print(make(name, arguments.folder, arguments.limit), file=log, flush=True)


if __name__ == "__main__":
    main()
