"""What a reflection file offers to choose from, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.errors import Choice


@dataclass(frozen=True)
class MeasuredColumns:
    """Columns that amplitudes can be made from, pairs of Friedel mates as "I(+),I(-)". kind: what they are, in words.
    dataset: its name, "" where the file names none. count: reflections with a value and a sigma."""

    label: str
    sigma: str
    kind: str
    dataset: str
    count: int


@dataclass(frozen=True)
class FlagColumn:
    """A column that may hold a test set. finding: what it is taken for, or why it cannot serve (then `usable` is
    False). values: each flag with how many observed reflections have it; empty where these are not flags."""

    label: str
    finding: str
    usable: bool
    values: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class DataContents:
    """datasets: names to choose one from (blocks, wavelengths, crystals), where there are several. cell, space_group:
    as in the file, None and "" where it does not say them. space_groups: those that the data might have as well.
    unmerged: why the file is taken to hold unmerged observations, or "". scaled: they may be merged without asking.
    other_flags: columns of the second file that the test set is to come from.
    """

    measured: tuple[MeasuredColumns, ...] = ()
    flags: tuple[FlagColumn, ...] = ()
    datasets: tuple[str, ...] = ()
    cell: tuple[float, ...] | None = None
    space_group: str = ""
    space_groups: tuple[str, ...] = ()
    unmerged: str = ""
    scaled: bool = False
    other_flags: tuple[FlagColumn, ...] = ()


@dataclass(frozen=True)
class Question:
    """Why the data cannot be used as they are chosen now. choice: what has to be decided, "" where nothing helps.
    options: what there is to choose from, as far as the error says."""

    message: str
    remedy: str
    choice: Choice
    item: str = ""
    options: tuple[str, ...] = ()
