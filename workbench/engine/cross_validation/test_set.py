"""Test sets: making one, numbering k of them, extending one to new reflections.

Sets are drawn over groups of lattice mates (`lattice_mates`), with the same share in every resolution shell. Nothing
here replaces flags that exist: a set is made only where there is none, and an extension keeps every old flag.
"""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.core.crystal import Crystal, Reflections
from workbench.core.errors import InputError
from workbench.core.settings import DataOptions
from workbench.core.words import counted
from workbench.engine.cross_validation.lattice_mates import mate_groups

ENOUGH = 2000
"""Test reflections beyond which a larger set gains little (Brünger, Methods Enzymol. 277, 366, 1997)."""
FEWEST = 500
NO_FLAG = -(2**31)
CREATED = "made by this program"


def create_test_set(
    crystal: Crystal, hkl: IntArray, fraction: float, seed: int, thin_shells: bool = False, most: int = ENOUGH
) -> IntArray:
    """Flags (n,): 0 test set, 1 work set, for reflections (n, 3).

    fraction: of the reflections that go into the test set, lowered where that exceeds `most`. thin_shells: whole
    resolution shells, for crystals with non-crystallographic symmetry: mates of equal resolution share a fate.
    """
    wanted = min(fraction, most / max(len(hkl), 1))
    k = max(2, round(1.0 / wanted)) if thin_shells else 0
    rng = np.random.default_rng(seed)
    groups = mate_groups(crystal, hkl)
    s_sq = _s_sq(crystal, hkl)
    if thin_shells:
        # a shell as thin as the data allow and yet some twenty times as many of them as are drawn
        shells = _equal_shells(s_sq, max(k, min(20 * k, len(hkl) // 10)))
        drawn = np.zeros(int(shells.max()) + 1, dtype=np.bool_)
        for start in range(0, len(drawn), k):
            drawn[min(start + int(rng.integers(k)), len(drawn) - 1)] = True
        test = drawn[shells]
        # mates share a fate even where the cell is not quite as symmetric as its lattice
        test = test[_first_of_group(groups)][groups]
        return np.where(test, 0, 1).astype(np.int32)
    test = _draw(groups, s_sq, wanted, rng)
    return np.where(test, 0, 1).astype(np.int32)


def numbered_sets(crystal: Crystal, hkl: IntArray, k: int, seed: int, first: AnyArray | None = None) -> IntArray:
    """Set numbers (n,) 0 .. k-1, each with the same share of every shell. first: (n,) rows that stay set 0."""
    rng = np.random.default_rng(seed)
    groups = mate_groups(crystal, hkl)
    n_groups = int(groups.max(initial=-1)) + 1
    size = np.bincount(groups, minlength=n_groups)
    centre = np.bincount(groups, _s_sq(crystal, hkl), n_groups) / np.maximum(size, 1)
    number = np.full(n_groups, -1, dtype=np.int32)
    low = 0
    if first is not None and first.any():
        number[np.bincount(groups, first, n_groups) > 0.5 * size] = 0
        low = 1
    order = np.argsort(centre, kind="stable")
    order = order[number[order] < 0]
    names = np.arange(low, k)
    filled = np.zeros(k, dtype=np.int64)
    for start in range(0, len(order), len(names)):
        block = order[start : start + len(names)]
        # the largest group of the block goes to the set that has least; equal ones in random order
        places = names[np.lexsort((rng.random(len(names)), filled[names]))][: len(block)]
        block = block[np.argsort(-size[block], kind="stable")]
        number[block] = places
        filled[places] += size[block]
    return np.asarray(number[groups], dtype=np.int32)


def extended(crystal: Crystal, hkl: IntArray, flags: IntArray, seed: int) -> IntArray:
    """Flags (n,) with a value for every row; those that were there (not NO_FLAG) are kept.

    A reflection whose lattice mate has a flag takes that; the others draw from the flags that are there, as often as
    these occur.
    """
    result = flags.copy()
    known = flags != NO_FLAG
    if known.all():
        return result
    if not known.any():
        raise InputError("There are no flags to extend.", remedy="Make a test set with --create-free.")
    rng = np.random.default_rng(seed)
    groups = mate_groups(crystal, hkl)
    n_groups = int(groups.max()) + 1
    of_group = np.full(n_groups, NO_FLAG, dtype=np.int64)
    of_group[groups[known][::-1]] = flags[known][::-1]
    values, counts = np.unique(flags[known], return_counts=True)
    empty = np.flatnonzero(of_group == NO_FLAG)
    # stratified: in every run of groups by resolution the shares come out even
    size = np.bincount(groups, minlength=n_groups)
    centre = (np.bincount(groups, _s_sq(crystal, hkl), n_groups) / np.maximum(size, 1))[empty]
    quantile = (np.arange(len(empty)) + 0.5) / max(len(empty), 1)
    ladder = np.searchsorted(np.cumsum(counts) / counts.sum(), quantile)
    drawn = values[np.minimum(ladder, len(values) - 1)]
    place = np.argsort(centre, kind="stable")
    for block in np.array_split(np.arange(len(empty)), max(1, len(empty) // 200)):
        share = drawn[block[0] :: 1][: len(block)] if len(empty) < 200 else rng.permutation(drawn)[: len(block)]
        of_group[empty[place[block]]] = rng.permutation(share)
    missing = ~known
    result[missing] = of_group[groups[missing]]
    return result


def with_test_set(reflections: Reflections, options: DataOptions) -> Reflections:
    """The reflections with the test set that the user asked to be made or extended; else as they are.

    Raises InputError rather than draw a second set where one exists.
    """
    columns = reflections.columns
    if options.fold is not None:
        return _one_of_k(reflections, *options.fold, options.free_seed)
    if options.extend_free:
        return _extended(reflections, options)
    if options.create_free is None:
        return reflections
    if reflections.has_free:
        raise InputError(
            f"the data have a test set already ({columns.free}, {counted(int(reflections.free.sum()), 'reflection')}); "
            "a second one would be no test of what was refined against the first.",
            file=reflections.source.path,
            item=columns.free,
            remedy="Leave --create-free out; or say --free none as well, to give the old set up.",
            choice="test set",
        )
    flags = create_test_set(
        reflections.crystal, reflections.hkl, options.create_free, options.free_seed, options.thin_shells
    )
    free = flags == 0
    kind = "thin shells" if options.thin_shells else "at random over lattice mates"
    reason = (
        f"{CREATED}: {int(free.sum())} of {len(free)} reflections ({100 * free.mean():.1f} %), {kind}, "
        f"seed {options.free_seed}"
    )
    note = f"A test set was {reason}. Keep refined.mtz: it holds the flags, and every later run must use them."
    return replace(
        reflections,
        free=free,
        flags=flags,
        has_free=True,
        columns=replace(columns, free="FREE", free_value=0, free_reason=reason),
        notes=(*reflections.notes, note),
    )


def _one_of_k(reflections: Reflections, k: int, number: int, seed: int) -> Reflections:
    """Set `number` of k as the test set: those of the data where they have k or more, else k drawn at random."""
    columns, flags = reflections.columns, reflections.flags
    values = np.unique(flags[flags != NO_FLAG]) if flags is not None else np.empty(0)
    whose = f"{columns.free} of the data"
    if len(values) == k and reflections.has_free and flags is not None:
        value = int(values[number])
        free = flags == value
    else:
        flags = numbered_sets(reflections.crystal, reflections.hkl, k, seed)
        value, free, whose = number, flags == number, f"drawn at random over lattice mates, seed {seed}"
    reason = f"set {number + 1} of {k} ({whose})"
    return replace(
        reflections,
        free=free,
        flags=flags,
        has_free=True,
        columns=replace(columns, free=columns.free or "FREE", free_value=value, free_reason=reason),
    )


def _extended(reflections: Reflections, options: DataOptions) -> Reflections:
    columns, flags = reflections.columns, reflections.flags
    if flags is None or not reflections.has_free:
        raise InputError(
            "there is no test set to extend.",
            file=reflections.source.path,
            remedy="Make one with --create-free.",
            choice="test set",
        )
    missing = flags == NO_FLAG
    if not missing.any():
        return reflections
    test = flags[reflections.free]
    value = int(test[0]) if len(test) else columns.free_value
    complete = extended(reflections.crystal, reflections.hkl, flags, options.free_seed)
    free = complete == value
    given = counted(int(missing.sum()), "reflection")
    added = f"{given} without a flag got one ({int((free & missing).sum())} of them test)"
    return replace(
        reflections,
        free=free,
        flags=complete,
        columns=replace(columns, free_reason=f"{columns.free_reason}; extended: {added}, seed {options.free_seed}"),
        notes=(*reflections.notes, f"The test set is extended: {added}; every old flag is kept."),
    )


def _s_sq(crystal: Crystal, hkl: IntArray) -> FloatArray:
    cell = gemmi.UnitCell(*crystal.cell)
    return np.asarray(cell.calculate_1_d2_array(np.ascontiguousarray(hkl, dtype=np.int32)), dtype=np.float64)


def _equal_shells(s_sq: FloatArray, count: int) -> IntArray:
    shell = np.empty(len(s_sq), dtype=np.int32)
    shell[np.argsort(s_sq, kind="stable")] = np.arange(len(s_sq)) * count // max(len(s_sq), 1)
    return shell


def _first_of_group(groups: IntArray) -> AnyArray:
    return np.unique(groups, return_index=True)[1]


def _draw(groups: IntArray, s_sq: FloatArray, fraction: float, rng: np.random.Generator) -> AnyArray:
    """Rows in the test set: in every resolution shell groups at random until the share is reached."""
    n_groups = int(groups.max(initial=-1)) + 1
    size = np.bincount(groups, minlength=n_groups)
    centre = np.bincount(groups, s_sq, n_groups) / np.maximum(size, 1)
    order = np.argsort(centre, kind="stable")
    taken = np.zeros(n_groups, dtype=np.bool_)
    owed = 0.0
    # shells of about fifty drawn groups; what one owes the next one pays
    for shell in np.array_split(order, max(1, min(20, round(fraction * n_groups / 25)))):
        owed += fraction * float(size[shell].sum())
        for group in rng.permutation(shell).tolist():
            if owed < 0.5 * size[group]:
                break
            taken[group] = True
            owed -= float(size[group])
    return taken[groups]
