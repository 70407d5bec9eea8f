"""Data and model by resolution shell, from the scaling of the cycle that is shown."""

from __future__ import annotations

import math

from workbench.core.events import CycleFinished, ShellTable
from workbench.gui.widgets.number_table import Column, NumberTable

COLUMNS = (
    Column("resolution, \u00c5", 0.0, left=True),
    Column("work", 0.44),
    Column("free", 0.56),
    Column("R_{work}", 0.71),
    Column("R_{free}", 0.86),
    Column("D", 1.0),
)


def shell_rows(table: ShellTable) -> list[tuple[str, ...]]:
    """The table as shown: resolution limits, counts, R factors and the D of sigma_A theory."""

    def number(value: float, digits: int) -> str:
        return f"{value:.{digits}f}" if math.isfinite(value) else "\u2013"

    return [
        (
            f"{table.d_max[i]:.2f} \u2013 {table.d_min[i]:.2f}",
            str(int(table.n_work[i])),
            str(int(table.n_free[i])),
            number(float(table.r_work[i]), 3),
            number(float(table.r_free[i]), 3),
            number(float(table.sigma_d[i]), 2),
        )
        for i in range(len(table.d_max))
    ]


class DataQualityPanel(NumberTable):
    """What the scaling says shell by shell. Tests of twinning and merging are not part of this version."""

    def __init__(self) -> None:
        super().__init__("Data quality by resolution", COLUMNS, "Resolution shells appear with the first cycle.")

    def show_cycle(self, cycle: CycleFinished | None) -> None:
        self.show_rows([] if cycle is None else shell_rows(cycle.written.shells))
