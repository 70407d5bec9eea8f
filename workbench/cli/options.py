"""Options shared by the subcommands, with every number checked before a file is read."""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any, NoReturn, get_args

from workbench.core.errors import SettingsError
from workbench.core.settings import (
    ACCEPT_UNPLACED,
    BModel,
    DataOptions,
    LikelihoodOf,
    RefinementSettings,
    RunRequest,
)

OPERATOR = "--free-reindex"


class Parser(argparse.ArgumentParser):
    """An argument parser that raises SettingsError instead of ending the process with code 2."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"{message}.", remedy=f"See {self.prog} --help.")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """An operator on indices may begin with a minus, and -h,-k,l is not a call for help."""
        words: list[str] = []
        for word in sys.argv[1:] if args is None else args:
            if words and words[-1] == OPERATOR and word.count(",") == 2:
                words[-1] += f"={word}"
            else:
                words.append(word)
        return super().parse_known_args(words, namespace)


DATA_HELP = "reflections: MTZ, mmCIF, Scalepack, XDS_ASCII or SHELX hkl (plain or .gz)"


def add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="model, PDB or mmCIF (plain or .gz)")
    parser.add_argument("data", metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--dictionary",
        metavar="CIF",
        action="append",
        default=[],
        help="restraint dictionary of a ligand; may be given several times, and wins over the built-in ones",
    )
    add_columns(parser)
    add_links(parser)
    parser.add_argument(
        "--library",
        metavar="DIR|embedded",
        default="",
        help="monomer library: a folder of the CCP4 kind, or the one that comes with the program (default: an installed"
        " one from $CLIBD_MON, CCP4, Coot or Phenix, else embedded)",
    )
    parser.add_argument(
        "--scattering",
        choices=("auto", "x-ray", "electron", "neutron"),
        default="auto",
        help="scattering factors (default: what the files say they were measured with, else X-rays)",
    )
    parser.add_argument(
        "--likelihood",
        choices=get_args(LikelihoodOf),
        default="auto",
        help="whose likelihood is maximised: amplitudes, or intensities as they were measured, negative ones included;"
        " R factors are those of the amplitudes in either case (default auto: amplitudes)",
    )


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Options of what is read from the data file."""
    parser.add_argument(
        "--labels",
        metavar="F,SIGF",
        type=_labels,
        help="columns of amplitude or intensity and its sigma, or the first alone (default: chosen by content)",
    )
    parser.add_argument("--free", metavar="LABEL", help="column of the test set (default: chosen by content)")
    parser.add_argument("--free-value", metavar="V", type=int, help="its value for the test set (default: found, said)")
    parser.add_argument("--resolution", metavar="D_MIN", type=_resolution, help="high-resolution limit in angstrom")
    parser.add_argument("--data-set", metavar="NAME", default="", help="one of several data sets or blocks of the file")
    parser.add_argument("--merge", action="store_true", help="unmerged observations are scaled and may be merged")
    parser.add_argument(
        "--space-group", metavar="SYMBOL", default="", help="of the data, instead of what the file says"
    )
    parser.add_argument(
        "--cell", metavar="A,B,C,AL,BE,GA", type=_cell, help="of the data, instead of what the file says"
    )
    parser.add_argument("--free-file", metavar="FILE", default="", help="take the test set from another file")
    parser.add_argument(OPERATOR, metavar="K,H,-L", default="", help="operator on the indices of --free-file")
    parser.add_argument(
        "--create-free",
        metavar="FRACTION",
        nargs="?",
        const=0.05,
        type=_fraction,
        help="make a test set where there is none (default fraction 0.05; at most about 2000 reflections)",
    )
    parser.add_argument("--free-seed", metavar="N", type=_WholeNumber("seed"), default=0, help="of --create-free")
    parser.add_argument("--thin-shells", action="store_true", help="make the test set of whole shells (NCS)")
    parser.add_argument("--extend-free", action="store_true", help="give reflections without a flag one, at random")


def add_links(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--link",
        metavar="'ATOM - ATOM'",
        action="append",
        default=[],
        help="bond two atoms, for example 'A 145 SG - B 1 C12' (chain, number, atom); may be given several times",
    )
    parser.add_argument(
        "--no-link",
        metavar="'ATOM - ATOM'",
        action="append",
        default=[],
        help="leave a link of the file, or one found by distance, unbonded",
    )


def link_choices(options: argparse.Namespace) -> tuple[tuple[str, bool], ...]:
    """The options of `add_links` as `RunRequest.links`."""
    return (*((label, True) for label in options.link), *((label, False) for label in options.no_link))


def data_options(options: argparse.Namespace) -> DataOptions:
    """What `add_columns` collected, as one value."""
    return DataOptions(
        space_group=options.space_group,
        cell=options.cell,
        dataset=options.data_set,
        merge=options.merge,
        free_file=options.free_file,
        free_reindex=options.free_reindex,
        create_free=options.create_free,
        free_seed=options.free_seed,
        thin_shells=options.thin_shells,
        extend_free=options.extend_free,
    )


def add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", metavar="N", type=_WholeNumber("threads"), default=0, help="threads (default 0: all cores)"
    )


def add_cycles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cycles",
        metavar="N",
        type=_WholeNumber("cycles"),
        default=20,
        help="at most N cycles (default 20; 0 writes the start as it is)",
    )


def add_refinement(parser: argparse.ArgumentParser) -> None:
    add_cycles(parser)
    parser.add_argument(
        "--weight", metavar="auto|NUMBER", type=_weight, help="weight of the data against the geometry (default auto)"
    )
    parser.add_argument(
        "--b-weight",
        metavar="auto|NUMBER",
        type=_weight,
        help="weight of the restraints of B (default auto: what the test set asks for)",
    )
    parser.add_argument(
        "--jelly-body",
        metavar="auto|off|NUMBER",
        type=_multiplier,
        help="hold distances up to 4.2 A where a cycle finds them, for low resolution: multiplier of the usual strength"
        " (default auto, which is off)",
    )
    parser.add_argument(
        "--ncs",
        metavar="auto|off|NUMBER",
        type=_multiplier,
        help="restrain distances in copies of a chain to be alike, true differences apart: multiplier of the usual"
        " strength (default auto: where there are few reflections per atom)",
    )
    parser.add_argument(
        "--hydrogens",
        choices=("auto", "keep", "riding", "all", "none"),
        default="auto",
        help="keep those of the input; let them ride without being written; write all; remove all"
        " (default: keep when the input has hydrogens, else riding)",
    )
    parser.add_argument(
        "--b-model",
        choices=get_args(BModel),
        default="auto",
        help="auto keeps ANISOU of the input and otherwise tries anisotropic atoms, judged by the test set; main-side"
        " and per-residue share a B among atoms (data too few for one each); fixed refines none (default auto)",
    )
    parser.add_argument(
        "--rigid-body",
        choices=("auto", "on", "off"),
        default="auto",
        help="turn and shift the model as rigid bodies first, coarse data before fine (default auto: when it looks"
        " displaced)",
    )
    parser.add_argument(
        "--rigid-groups",
        metavar="model|chains|A:1-120,B",
        default="model",
        help="the bodies: the whole model, its chains, or segments (default model)",
    )
    parser.add_argument(
        "--fix",
        metavar="SELECTION",
        default="",
        help="atoms whose coordinates do not move: chains or residues as A:1-120,A:130,B (B factors are refined)",
    )
    parser.add_argument(
        "--hold",
        metavar="SELECTION",
        default="",
        help="atoms tied to where they are by harmonic restraints; all for the whole model",
    )
    parser.add_argument(
        "--hold-sigma", metavar="A", type=_length, default=0.1, help="of these restraints, in angstrom (default 0.1)"
    )
    parser.add_argument(
        "--shake", metavar="RMSD", type=_shake, default=0.0, help="move the start by this 3D r.m.s. (angstrom)"
    )
    parser.add_argument(
        "--reset-b", metavar="mean|VALUE", type=_reset_b, help="give every atom the mean B, or this one (A^2)"
    )
    parser.add_argument(
        "--nuclear-distances",
        action="store_true",
        help="hydrogens at the distance of their nuclei (neutron data) instead of their electron clouds",
    )
    parser.add_argument(
        ACCEPT_UNPLACED,
        action="store_true",
        help="refine a model although it fits the data no better than chance (another crystal form, not yet placed)",
    )
    parser.add_argument("--seed", metavar="N", type=_WholeNumber("seed"), default=0, help="of the random numbers (0)")
    add_threads(parser)


def run_request(options: argparse.Namespace) -> RunRequest:
    """The run that `add_inputs` and `add_refinement` describe."""
    return request_with(options, refinement_settings(options))


def refinement_settings(options: argparse.Namespace) -> RefinementSettings:
    """What `add_refinement` collected."""
    return RefinementSettings(
        cycles=options.cycles,
        weight=options.weight,
        b_weight=options.b_weight,
        jelly_body=options.jelly_body,
        ncs=options.ncs,
        d_min=options.resolution,
        hydrogens=options.hydrogens,
        b_model=options.b_model,
        rigid_body=options.rigid_body,
        rigid_groups=options.rigid_groups,
        fix=options.fix,
        hold=options.hold,
        hold_sigma=options.hold_sigma,
        shake=options.shake,
        reset_b=options.reset_b,
        threads=options.threads,
        seed=options.seed,
        nuclear_distances=options.nuclear_distances,
        scattering=options.scattering,
        likelihood=options.likelihood,
        accept_unplaced=options.accept_unplaced,
    )


def request_with(options: argparse.Namespace, settings: RefinementSettings) -> RunRequest:
    """The files and choices of `add_inputs` with these settings."""
    return RunRequest(
        model_path=options.model,
        data_path=options.data,
        dictionaries=tuple(options.dictionary),
        labels=options.labels,
        free_label=options.free,
        free_value=options.free_value,
        settings=settings,
        library=options.library,
        links=link_choices(options),
        strict_links=True,
        intake=data_options(options),
    )


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def _weight(text: str) -> float | None:
    if text.lower() == "auto":
        return None
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"a weight of {text} cannot be used; give a number from 0 up, or auto")
    return value


def _multiplier(text: str) -> float | None:
    if text.lower() == "auto":
        return None
    value = 0.0 if text.lower() == "off" else _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"a strength of {text} cannot be used; give a number from 0 up, auto or off")
    return value


def _resolution(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a resolution; give the limit in angstrom, for example 1.8")
    return value


def _length(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a length; give angstrom above 0")
    return value


def _shake(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 3:
        raise argparse.ArgumentTypeError(f"a shake of {text} A cannot be used; give 0 to 3")
    return value


def _reset_b(text: str) -> float | str:
    if text.lower() == "mean":
        return "mean"
    value = _number(text)
    if not 0 < value <= 500:
        raise argparse.ArgumentTypeError(f"B cannot be set to {text}; give a value above 0 and up to 500, or mean")
    return value


def _cell(text: str) -> tuple[float, float, float, float, float, float]:
    values = tuple(_number(part) for part in text.replace(",", " ").split())
    if len(values) != 6 or min(values) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a cell; write a,b,c,alpha,beta,gamma")
    a, b, c, alpha, beta, gamma = values
    return a, b, c, alpha, beta, gamma


def _fraction(text: str) -> float:
    value = _number(text)
    if not 0.005 <= value <= 0.5:
        raise argparse.ArgumentTypeError(f"a test set of {text} cannot be used; give a fraction from 0.005 to 0.5")
    return value


def _labels(text: str) -> tuple[str, str]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 2 or not all(parts):
        raise argparse.ArgumentTypeError(f"{text!r} does not name two columns; write for example FP,SIGFP")
    return parts[0], parts[1] if len(parts) == 2 else ""


class _WholeNumber:
    """A whole number of 0 or more; called by argparse."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __call__(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        limit = 2**32 - 1 if self._what == "seed" else 10_000
        if not 0 <= value <= limit:
            raise argparse.ArgumentTypeError(f"{text} is not usable; give a number from 0 to {limit}")
        return value
