"""The command line that begins the same run as the window."""

from __future__ import annotations

import shlex

from workbench.core.settings import ACCEPT_UNPLACED, LOCAL_RESTRAINTS, RefinementSettings, RunRequest
from workbench.session.data_choice import DataChoice


def refine_command(request: RunRequest) -> str:
    """`workbench refine ...` with the files, decisions and settings of a request that starts from its files.

    Multipliers of restraint families have no option: a run opened in the window begins without.
    """
    s, usual = request.settings, RefinementSettings()
    words = ["workbench", "refine", request.model_path, request.data_path]
    for path in request.dictionaries:
        words += ["--dictionary", path]
    words += DataChoice.of(request).option_words()
    if request.library:
        words += ["--library", request.library]
    for label, bond in request.links:
        words += ["--link" if bond else "--no-link", label]
    words += ["--cycles", str(s.cycles)]
    if s.weight is not None:
        words += ["--weight", f"{s.weight:g}"]
    if s.b_weight is not None:
        words += ["--b-weight", f"{s.b_weight:g}"]
    for name in LOCAL_RESTRAINTS:
        if getattr(s, name) is not None:
            words += [f"--{name.replace('_', '-')}", f"{getattr(s, name):g}"]
    if s.d_min is not None:
        words += ["--resolution", f"{s.d_min:g}"]
    for option, value, default in (
        ("--hydrogens", s.hydrogens, usual.hydrogens),
        ("--b-model", s.b_model, usual.b_model),
        ("--scattering", s.scattering, usual.scattering),
        ("--likelihood", s.likelihood, usual.likelihood),
        ("--rigid-body", s.rigid_body, usual.rigid_body),
        ("--rigid-groups", s.rigid_groups, usual.rigid_groups),
    ):
        if value != default:
            words += [option, str(value)]
    if s.fix:
        words += ["--fix", s.fix]
    if s.hold:
        words += ["--hold", s.hold, "--hold-sigma", f"{s.hold_sigma:g}"]
    if s.shake:
        words += ["--shake", f"{s.shake:g}"]
    if s.reset_b is not None:
        words += ["--reset-b", str(s.reset_b)]
    if s.nuclear_distances:
        words.append("--nuclear-distances")
    if s.accept_unplaced:
        words.append(ACCEPT_UNPLACED)
    if s.seed:
        words += ["--seed", str(s.seed)]
    if s.threads:
        words += ["--threads", str(s.threads)]
    return shlex.join(words)
