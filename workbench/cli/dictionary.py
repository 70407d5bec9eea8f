"""workbench dictionary: restraints for a ligand that nobody has, from SMILES or from a description."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from workbench.cli.options import Parser
from workbench.cli.report import reporter
from workbench.core.errors import SettingsError
from workbench.core.events import Progress


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench dictionary",
        description="Make a restraint dictionary with acedrg (the optional extra `ligands`). What was made is kept, so"
        " that asking again takes no time. Ctrl-C ends it and leaves nothing behind.",
    )
    made.add_argument("cif", metavar="CIF", nargs="?", default="", help="description of the component (PDB's CIF)")
    made.add_argument("--smiles", metavar="SMILES", default="", help="the molecule as a SMILES string instead")
    made.add_argument("--name", metavar="NAME", help="name of the component (default: that of the CIF, else LIG)")
    made.add_argument("--output", metavar="FILE", help="where to write it (default NAME.cif)")
    made.add_argument("--force", action="store_true", help="replace a file that is there")
    made.add_argument("--quiet", action="store_true", help="print errors only")
    return made


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    if bool(options.cif) == bool(options.smiles):
        raise SettingsError("give a CIF file or --smiles.", remedy="See workbench dictionary --help.")
    from workbench.session.dictionary_maker import DictionaryRequest, make_dictionary, save_dictionary

    name = options.name or _name_in(options.cif)
    target = Path(options.output or f"{name}.cif")
    if target.exists() and not options.force:
        raise SettingsError("exists already.", file=str(target), remedy="Choose another --output, or give --force.")
    with reporter(options.quiet) as show:
        last = ""

        def tell(event: Progress) -> None:
            nonlocal last
            show.show(event)
            if not sys.stdout.isatty() and event.text != last:
                last = event.text
                show.say(event.text)

        made = make_dictionary(DictionaryRequest(name, options.smiles, options.cif), tell)
        save_dictionary(made, target)
        show.say(f"Wrote {target}. Use it with --dictionary {target}, or drop it on the window.")
    return 0


def _name_in(cif: str) -> str:
    if not cif:
        return "LIG"
    import gemmi

    from workbench.io.files import read_input
    from workbench.io.models import read_cif_document

    for block in read_cif_document(read_input(cif).text(), cif):
        names = block.find_values("_chem_comp_atom.comp_id")
        if len(names):
            return gemmi.cif.as_string(names[0])
    return "LIG"
