"""Restraint dictionaries for components that nobody has, made by acedrg (the optional `ligands` extra).

acedrg is a program of its own (MPL-2.0; tables of the Crystallography Open Database, conformers by RDKit). It runs in
a process that can be cancelled; what it made is checked like any dictionary and kept in the user's cache, so that the
same request is answered at once the next time.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from workbench.core.errors import InputError, SettingsError, WorkbenchError
from workbench.core.events import Progress
from workbench.io.files import read_input, say_kind

INSTALL = "Install the extra: pip install 'refinement-workbench[ligands]' (acedrg, about 1.6 GB with what it needs)."
TIME_LIMIT = 1800.0
"""Seconds after which acedrg is taken to have lost its way."""
_USUAL = 60.0
"""Seconds a small ligand takes on one core; the progress bar nears its end after some of these."""

_ORGANIC = frozenset(("H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "As", "Se", "Br", "I"))
_BOILERPLATE = re.compile(r"process stoped|associated log|for the error information|[=#-]{5}|Finished", re.IGNORECASE)
"""What acedrg prints when it ends without saying why."""

_NAME = re.compile(r"[A-Za-z0-9]{1,5}")
_STAGES = (
    ("RDKit", "Building a conformer"),
    ("internal database", "Looking up bonds and angles"),
    ("geometry optimization", "Optimising the conformer"),
    ("Finished", "Checking the dictionary"),
)
"""What acedrg prints, and what it is doing then."""


class DictionaryCancelled(WorkbenchError):
    """The user ended it; nothing is left behind."""

    exit_code = 130


@dataclass(frozen=True)
class DictionaryRequest:
    """What to make: a component called `name` from a SMILES string, or from a CIF file that describes it (one of the
    two)."""

    name: str
    smiles: str = ""
    cif_path: str = ""


def dictionary_program() -> str | None:
    """Path of acedrg: beside this Python first, then on the PATH; None when it is not installed."""
    beside = Path(sys.executable).parent
    return shutil.which("acedrg", path=str(beside)) or shutil.which("acedrg")


def cache_folder() -> Path:
    """Where finished dictionaries are kept."""
    named = os.environ.get("WORKBENCH_CACHE_DIR")
    base = Path(named) if named else Path(platformdirs.user_cache_dir("refinement-workbench"))
    return base / "dictionaries"


def make_dictionary(
    request: DictionaryRequest,
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """The dictionary of a component in the cache; takes from seconds to minutes when it has to be made.

    Raises SettingsError when acedrg is not installed or the name cannot be used, InputError for a SMILES string or a
    file that describes no molecule and when acedrg fails, DictionaryCancelled when `cancelled()` became true.
    """
    if not _NAME.fullmatch(request.name):
        raise SettingsError(
            f"{request.name!r} cannot be the name of a component.", remedy="Give one to five letters and digits."
        )
    if bool(request.smiles.strip()) == bool(request.cif_path):
        raise SettingsError("Give either a SMILES string or a CIF file.", item=request.name)
    description = _described(request)
    key = hashlib.sha256("\0".join((request.name, request.smiles.strip(), description)).encode()).hexdigest()
    kept = cache_folder() / f"{request.name}-{key[:16]}.cif"
    if kept.is_file():
        progress(Progress(f"{request.name} was made before", 1.0))
        return kept
    program = dictionary_program()
    if program is None:
        raise SettingsError("acedrg is not installed, so no dictionary can be made.", remedy=INSTALL)
    with tempfile.TemporaryDirectory(prefix="workbench-dictionary-") as scratch:
        folder = Path(scratch)
        if request.smiles:
            (folder / "input.smi").write_text(request.smiles.strip() + "\n", encoding="utf-8")
            source = ["-i", "input.smi"]
        else:
            (folder / "input.cif").write_text(description, encoding="utf-8")
            source = ["-c", "input.cif"]
        command = [program, *source, "-r", request.name, "-z", "-o", "made"]
        output = _run(command, folder, request.name, progress, cancelled)
        text = _checked(folder / "made.cif", request, output)
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(kept)
    progress(Progress(f"{request.name} is made", 1.0))
    return kept


def save_dictionary(made: Path, target: str | Path) -> Path:
    """Copy a finished dictionary to where the user wants it; the file appears whole or not at all."""
    place = Path(target)
    partial = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(made, partial)
        partial.replace(place)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(
            f"cannot be written ({error.strerror or error}).", file=str(target), remedy="Choose another place."
        ) from None
    return place


def _described(request: DictionaryRequest) -> str:
    """The text of the CIF that describes the component, "" for a SMILES string (which is checked with RDKit)."""
    if request.smiles:
        _check_smiles(request)
        return ""
    file = read_input(request.cif_path)
    if file.kind != "cif":
        raise InputError(
            f"is {say_kind(file.kind)}, not a description of a component.",
            file=request.cif_path,
            remedy="Give the component's CIF (for example from the PDB), or a SMILES string.",
        )
    from workbench.io.models import read_cif_document  # gemmi is not loaded into the window before it is needed

    text = file.text()
    document = read_cif_document(text, request.cif_path)
    if not any(len(block.find_values("_chem_comp_atom.atom_id")) for block in document):
        raise InputError(
            "describes no component (_chem_comp_atom).",
            file=request.cif_path,
            remedy="Give the component's CIF (for example from the PDB), or a SMILES string.",
        )
    return text


def _check_smiles(request: DictionaryRequest) -> None:
    try:
        from rdkit import Chem, RDLogger
    except ImportError:
        return  # acedrg in another environment has its own
    RDLogger.DisableLog("rdApp.*")
    molecule = Chem.MolFromSmiles(request.smiles.strip())
    if molecule is not None and molecule.GetNumAtoms() == 1:
        raise InputError(
            f"{request.smiles.strip()} is one atom with its hydrogens: there is nothing to restrain.", item=request.name
        )
    if molecule is None or molecule.GetNumAtoms() == 0:
        raise InputError(
            f"{request.smiles.strip()} is not a SMILES string of a molecule.",
            item=request.name,
            remedy="Check rings, brackets and valences.",
        )
    parts = len(Chem.GetMolFrags(molecule))
    if parts > 1:
        raise InputError(
            f"{request.smiles.strip()} describes {parts} molecules.",
            item=request.name,
            remedy="Leave out counter-ions and solvent; every molecule is a component of its own.",
        )
    elements = {atom.GetSymbol() for atom in molecule.GetAtoms()}
    strange = sorted(elements - _ORGANIC)
    if strange:
        raise InputError(
            f"{request.smiles.strip()} holds {', '.join(strange)}, for which acedrg has no restraints.",
            item=request.name,
            remedy="Make the organic part alone: metals in the model are bonded by distance.",
        )


def _run(
    command: list[str],
    folder: Path,
    name: str,
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> str:
    """Run acedrg and return what it printed; it is ended together with its children when cancelled."""
    began = time.monotonic()
    said = folder / "output.txt"
    with said.open("wb") as output:
        group = {"creationflags": 0x200} if sys.platform == "win32" else {"start_new_session": True}
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, **group)
        try:
            while process.poll() is None:
                if cancelled():
                    raise DictionaryCancelled("No dictionary was made: cancelled.", item=name)
                seconds = time.monotonic() - began
                if seconds > TIME_LIMIT:
                    raise InputError(
                        f"acedrg has not finished after {TIME_LIMIT / 60:.0f} minutes.",
                        item=name,
                        remedy="Make the dictionary with another program, for example Grade or eLBOW.",
                    )
                progress(Progress(f"{name}: {_stage(said)}", seconds / (seconds + _USUAL)))
                time.sleep(0.2)
        finally:
            if process.poll() is None:
                _end(process)
    return said.read_text(encoding="utf-8", errors="replace")


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End a process and its children, without waiting for their goodwill."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _stage(said: Path) -> str:
    try:
        text = said.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    place = [(text.rfind(mark), words) for mark, words in _STAGES if mark in text]
    return max(place)[1] if place else "Reading the description"


def _checked(made: Path, request: DictionaryRequest, output: str) -> str:
    """The text of a dictionary that can be used, with its origin in the first line."""
    where = request.cif_path or request.smiles.strip()
    if not made.is_file():
        lines = [line.strip() for line in output.splitlines() if line.strip() and not _BOILERPLATE.search(line)]
        telling = [line for line in lines if re.search(r"error|cannot|fail", line, re.IGNORECASE)]
        why = telling[-1].strip(" .!") if telling else "it gave no reason"
        raise InputError(
            f"acedrg made no dictionary from {where} ({why}).",
            item=request.name,
            remedy="Check the molecule; metals and boron clusters are beyond acedrg.",
        )
    from workbench.io.dictionaries import read_dictionary

    dictionary = read_dictionary(str(made))
    if request.name not in dictionary.components:
        raise InputError(
            f"acedrg's dictionary does not hold {request.name}.", item=request.name, remedy="Give another name."
        )
    return f"# Made by acedrg for Refinement Workbench from {where}\n{made.read_text(encoding='utf-8')}"
