"""Structure factors as mmCIF, in all the ways the archive has held them.

Several blocks: the first with measured values, unless one is named. Flags: status letters and numeric flags. Several
wavelengths or crystals in one loop are data sets of their own. Unmerged blocks (_diffrn_refln) are read as such.
"""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, FloatArray
from workbench.core.errors import InputError
from workbench.core.words import counted
from workbench.io.files import InputFile
from workbench.io.models import read_cif_document
from workbench.io.reflection_table import (
    Column,
    Radiation,
    ReflectionTable,
    check_indices,
    check_resolution,
    is_sensible,
)

_TAGS: tuple[tuple[str, str, str, str], ...] = (
    # value, its sigma, type, type of the sigma
    ("F_meas_au", "F_meas_sigma_au", "F", "Q"),
    ("F_meas", "F_meas_sigma", "F", "Q"),
    ("intensity_meas", "intensity_sigma", "J", "Q"),
    ("F_squared_meas", "F_squared_sigma", "J", "Q"),
    ("pdbx_F_plus", "pdbx_F_plus_sigma", "G", "L"),
    ("pdbx_F_minus", "pdbx_F_minus_sigma", "G", "L"),
    ("pdbx_I_plus", "pdbx_I_plus_sigma", "K", "M"),
    ("pdbx_I_minus", "pdbx_I_minus_sigma", "K", "M"),
    ("F_calc_au", "", "F", ""),
    ("F_calc", "", "F", ""),
    ("pdbx_FWT", "", "F", ""),
    ("pdbx_DELFWT", "", "F", ""),
    ("phase_calc", "", "P", ""),
    ("fom", "", "W", ""),
)

_OBSERVED_STATUS = {"o": 1, "f": 0}


_UNMERGED_TAGS = (("intensity_net", "intensity_sigma"), ("counts_net", ""))


def structure_factor_table(file: InputFile, dataset: str = "") -> ReflectionTable:
    """The columns of an mmCIF structure factor file; dataset: the block, or the wavelength or crystal within it.

    Raises InputError for a file without reflections, cell or space group, and for several data sets without a choice.
    """
    path = file.source.path
    document = read_cif_document(file.text(), path)
    try:
        blocks = list(gemmi.as_refln_blocks(document))
    except (RuntimeError, ValueError) as error:
        raise InputError(f"the reflections cannot be read ({error}).", file=path, remedy="Copy it again.") from None
    blocks = [block for block in blocks if block.default_loop is not None and _of_one_category(block)]
    if not blocks:
        what = "is a model, not a reflection file." if _has_atoms(document) else "holds no reflections."
        raise InputError(what, file=path, remedy="Give an MTZ or mmCIF structure factor file.")
    measured = [block for block in blocks if any(tag in block.column_labels() for tag, *_ in _TAGS[:8])]
    named = [block for block in blocks if dataset and block.block.name == dataset]
    block = (named or measured or blocks)[0]
    if named:
        dataset = ""
    notes: list[str] = []
    if len(blocks) > 1:
        names = ", ".join(each.block.name for each in blocks)
        why = "as the user asked" if named else "the first with measured values; another is taken with --data-set NAME"
        notes.append(f"The file holds several data blocks ({names}); {block.block.name} is used, {why}.")
    if block.spacegroup is None:
        raise InputError("the reflection file names no known space group.", file=path, remedy="Add it to the file.")
    if not is_sensible(block.cell):
        raise InputError("the reflection file has no unit cell.", file=path, remedy="Add _cell to the file.")
    labels = block.column_labels()
    missing = {"index_h", "index_k", "index_l"} - set(labels)
    if missing:
        raise InputError(f"the reflections have no {sorted(missing)[0]}.", file=path, remedy="Make the file again.")
    ids = [set(_letters(block, tag)) for tag in ("wavelength_id", "crystal_id") if tag in labels]
    if dataset and dataset not in labels and not any(len(each) > 1 or dataset.lower() in each for each in ids):
        raise InputError(
            "there is no data block of this name in the file.",
            file=path,
            item=dataset,
            remedy=f"It has: {', '.join(each.block.name for each in blocks)}.",
            choice="columns",
        )
    indices = np.stack([_numbers(block, f"index_{axis}") for axis in "hkl"], axis=1)
    hkl = check_indices(indices, path)
    check_resolution(hkl, block.cell, path)
    radiation = _radiation(document)
    if block.is_unmerged():
        table = _unmerged_table(file, block, hkl, radiation, notes)
        return replace(table, blocks=tuple(each.block.name for each in blocks))
    keep = _of_data_set(block, labels, dataset, path, notes)
    columns: list[Column] = []
    if "status" in labels:
        letters = _letters(block, "status")
        values = np.full(len(letters), np.nan)
        for letter, value in _OBSERVED_STATUS.items():
            values[letters == letter] = value
        # Written bare, status 1 means observed in old files.
        values[letters == "1"] = 1.0
        refused = np.isin(letters, ("x", "<", "-", "h", "l"))
        keep &= ~refused
        columns.append(Column("status", "I", values, text_values={0: "f", 1: "o"}))
        if refused.any():
            notes.append(
                f"{counted(int(refused.sum()), 'reflection', 'are')} marked as not observed (status x, <, -, h or l)."
            )
    if "pdbx_r_free_flag" in labels:
        columns.append(Column("pdbx_r_free_flag", "I", _numbers(block, "pdbx_r_free_flag")))
    for tag, sigma_tag, kind, sigma_kind in _TAGS:
        if tag in labels:
            columns.append(Column(tag, kind, _numbers(block, tag)))
            if sigma_tag and sigma_tag in labels:
                columns.append(Column(sigma_tag, sigma_kind, _numbers(block, sigma_tag)))
    columns = [replace(column, values=column.values[keep]) for column in columns]
    if not columns:
        raise InputError(
            f"the reflections have no values that are known here; their items are {', '.join(labels[:12])}.",
            file=path,
            remedy="Give a file with F_meas_au or intensity_meas.",
        )
    return ReflectionTable(
        file.source,
        block.spacegroup,
        {0: block.cell},
        np.ascontiguousarray(hkl[keep]),
        tuple(columns),
        notes=tuple(notes),
        dataset_names={0: block.block.name},
        wavelengths={0: _wavelength(block)},
        radiation=radiation,
        blocks=tuple(each.block.name for each in blocks),
    )


def _unmerged_table(
    file: InputFile, block: gemmi.ReflnBlock, hkl: AnyArray, radiation: Radiation, notes: list[str]
) -> ReflectionTable:
    labels = block.column_labels()
    for value, sigma in _UNMERGED_TAGS:
        if value in labels and sigma in labels:
            columns = (Column(value, "J", _numbers(block, value)), Column(sigma, "Q", _numbers(block, sigma)))
            return ReflectionTable(
                file.source,
                block.spacegroup,
                {0: block.cell},
                hkl,
                columns,
                unmerged="it holds _diffrn_refln records",
                notes=tuple(notes),
                radiation=radiation,
                wavelengths={0: _wavelength(block)},
            )
    raise InputError(
        "the unmerged reflections have no intensity with a sigma.",
        file=file.source.path,
        item=block.block.name,
        remedy="Give a block with intensity_net and intensity_sigma, or merged data.",
    )


def _of_data_set(block: gemmi.ReflnBlock, labels: list[str], dataset: str, path: str, notes: list[str]) -> AnyArray:
    """(n,) rows of the data set: all of them, unless the loop mixes several crystals or wavelengths."""
    keep = np.ones(block.default_loop.length(), dtype=np.bool_)
    for tag, word in (("wavelength_id", "wavelength"), ("crystal_id", "crystal")):
        if tag not in labels:
            continue
        ids = _letters(block, tag)
        names, counts = np.unique(ids, return_counts=True)
        if len(names) < 2:
            continue
        wanted = dataset.lower().removeprefix(word).strip()
        if wanted not in names.tolist():
            listed = ", ".join(
                f"{name} ({counted(int(count), 'reflection')})" for name, count in zip(names, counts, strict=True)
            )
            raise InputError(
                f"the file holds several data sets in one loop, one for each {word}: {listed}. Which one is meant?",
                file=path,
                item=tag,
                remedy=f"Say --data-set {names[0]} (or another of them).",
                choice="columns",
                options=tuple(map(str, names)),
            )
        keep &= ids == wanted
        notes.append(f"Of {len(names)} data sets in the file that of {word} {wanted} is used, as the user asked.")
    return keep


def _radiation(document: gemmi.cif.Document) -> Radiation:
    """What the file says the data were measured with."""
    for block in document:
        for tag in ("_exptl.method", "_diffrn_radiation.pdbx_scattering_type", "_diffrn.pdbx_scattering_type"):
            for value in block.find_values(tag):
                word = gemmi.cif.as_string(value).lower()
                if "neutron" in word:
                    return "neutron"
                if "electron" in word:
                    return "electron"
                if "x-ray" in word:
                    return "x-ray"
    return ""


def _wavelength(block: gemmi.ReflnBlock) -> float:
    try:
        value = float(block.wavelength)
    except (RuntimeError, ValueError):
        return 0.0
    return value if np.isfinite(value) and value > 0 else 0.0


def _of_one_category(block: gemmi.ReflnBlock) -> bool:
    """The loop holds items of one category; the parser cuts the names without looking."""
    names = {str(tag).partition(".")[0].lower() for tag in block.default_loop.tags}
    return names <= {"_refln"} or names <= {"_diffrn_refln"}


def _has_atoms(document: gemmi.cif.Document) -> bool:
    return any(len(block.find_values("_atom_site.id")) for block in document)


def _numbers(block: gemmi.ReflnBlock, tag: str) -> FloatArray:
    return np.array(block.make_float_array(tag), dtype=np.float64)


def _letters(block: gemmi.ReflnBlock, tag: str) -> AnyArray:
    loop = block.default_loop
    column = block.block.find_values(loop.tags[0].split(".")[0] + "." + tag)
    return np.array([gemmi.cif.as_string(value).strip().lower() for value in column], dtype=np.str_)
