"""Reference: radii and bond lengths as published, from packages that carry them, to check the tables of the engine.

    python -m tests.reference.literature_values ACEDRG_TABLES MENDELEEV_DB PYMATGEN_JSON

ACEDRG_TABLES is the folder share/acedrg/tables that the Python package acedrg 0.334.0 installs (means over the
Crystallography Open Database), MENDELEEV_DB the elements.db inside the wheel of mendeleev 1.3.0 (covalent radii of
Cordero et al. 2008, van der Waals radii of Bondi 1964, ionic radii of Shannon 1976), PYMATGEN_JSON the
periodic_table.json.gz inside the wheel of pymatgen-core 2026.10.16 (ionic radii of Shannon 1976 again). Nothing of the
program takes part. Writes literature_values.json.gz beside this script; lengths in angstrom.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

RESULT = Path(__file__).with_name("literature_values.json.gz")
FEWEST = 30
"""Occurrences in the database below which a mean is left out."""
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def shannon(mendeleev: Path, pymatgen: Path) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Element -> charge -> coordination number -> radii of every spin and shape, of either package."""
    found: dict[str, dict[str, dict[str, set[float]]]] = {}

    def add(symbol: str, charge: int, roman: str, radius: float) -> None:
        name = roman.removesuffix("SQ").removesuffix("PY")
        if charge > 0 and name in _ROMAN:
            number = str(_ROMAN.index(name) + 1)
            by_number = found.setdefault(symbol.upper(), {}).setdefault(str(charge), {})
            by_number.setdefault(number, set()).add(round(radius, 4))

    with gzip.open(pymatgen) as stream:
        elements: dict[str, Any] = json.load(stream)
    for symbol, data in elements.items():
        table = data.get("Shannon radii")
        for charge, by_number in table.items() if isinstance(table, dict) else ():
            for roman, by_spin in by_number.items():
                for values in by_spin.values() if charge.isdigit() else ():
                    add(symbol, int(charge), roman, values["ionic_radius"])
    with closing(sqlite3.connect(mendeleev)) as data_base:
        query = (
            "select e.symbol, r.charge, r.coordination, r.ionic_radius from ionicradii r "
            "join elements e on e.atomic_number = r.atomic_number"
        )
        for symbol, charge, roman, radius in data_base.execute(query):
            if radius is not None:
                add(symbol, charge, roman, radius / 100.0)
    return {e: {q: {n: sorted(r) for n, r in by.items()} for q, by in charges.items()} for e, charges in found.items()}


def radii(mendeleev: Path, column: str) -> dict[str, float]:
    """Element -> radius."""
    with closing(sqlite3.connect(mendeleev)) as data_base:
        rows = data_base.execute(f"select symbol, {column} from elements").fetchall()
    return {symbol.upper(): round(value / 100.0, 4) for symbol, value in rows if value}


def metal_bonds(tables: Path) -> list[tuple[str, str, int, float, float, int]]:
    """(metal, donor, coordination number, mean, standard deviation, count) over all kinds of donor of an element."""
    sums: dict[tuple[str, str, int], list[float]] = {}
    for line in (tables / "allMetalBonds.table").read_text().splitlines():
        words = line.split()
        if len(words) == 11:
            metal, number, donor = words[0].upper(), int(words[1]), words[2].upper()
            mean, deviation, count = float(words[8]), float(words[9]), int(words[10])
            total = sums.setdefault((metal, donor, number), [0.0, 0.0, 0.0])
            total[0] += count
            total[1] += count * mean
            total[2] += count * (deviation**2 + mean**2)
    found = []
    for (metal, donor, number), (count, first, second) in sorted(sums.items()):
        if count >= FEWEST:
            mean = first / count
            spread = max(0.0, second / count - mean**2) ** 0.5
            found.append((metal, donor, number, round(mean, 3), round(spread, 3), int(count)))
    return found


def organic_bonds(tables: Path) -> list[tuple[str, str, str, str, float, float, int]]:
    """(element, hybridisation, element, hybridisation, mean, standard deviation, count)."""
    found = []
    for line in (tables / "allOrgBondEN.table").read_text().splitlines():
        first, one, second, other, mean, spread, count = line.split()
        if int(count) >= FEWEST:
            found.append((first.upper(), one, second.upper(), other, float(mean), float(spread), int(count)))
    return found


def main() -> None:
    tables, mendeleev, pymatgen = map(Path, sys.argv[1:])
    result = {
        "shannon": shannon(mendeleev, pymatgen),
        "cordero": radii(mendeleev, "covalent_radius_cordero"),
        "bondi": radii(mendeleev, "vdw_radius_bondi"),
        "metal_bonds": metal_bonds(tables),
        "organic_bonds": organic_bonds(tables),
    }
    RESULT.write_bytes(gzip.compress(json.dumps(result, separators=(",", ":")).encode(), mtime=0))
    print({name: len(table) for name, table in result.items()})


if __name__ == "__main__":
    main()
