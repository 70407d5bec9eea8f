"""Grouped B, and B that are not refined, in whole runs: what is refined, written and said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fake_run import recorded_run
from workbench.core.control import FixedControl
from workbench.core.events import CycleFinished, Finished, Note, Prepared, RunEvent
from workbench.core.settings import BModel, RefinementSettings, RunRequest
from workbench.engine.cross_validation.verdict import context_of
from workbench.session.branches import settings_words
from workbench.session.incomparable import incomparable
from workbench.session.run import run


@pytest.fixture(name="request_at_3")
def fixture_request_at_3(examples: Path) -> RunRequest:
    """Lysozyme cut to 3 A, every B reset, so that there is something to refine."""
    folder = examples / "lyso_c2"
    chosen = RefinementSettings(cycles=4, d_min=3.0, b_model="per-residue", reset_b="mean", threads=1)
    return RunRequest(str(folder / "lyso_c2.pdb.gz"), str(folder / "lyso_c2.mtz.gz"), settings=chosen)


def events_of(request: RunRequest, b_model: BModel, **changes: object) -> list[RunEvent]:
    request = replace(request, settings=replace(request.settings, b_model=b_model))
    return list(run(replace(request, **changes), FixedControl(request.settings)))  # type: ignore[arg-type]


def outcome(events: list[RunEvent]) -> tuple[Prepared, list[CycleFinished], CycleFinished]:
    prepared = next(event for event in events if isinstance(event, Prepared))
    assert isinstance(events[-1], Finished), events[-1]
    return prepared, [event for event in events if isinstance(event, CycleFinished)], events[-1].kept


def free_b(prepared: Prepared) -> tuple[np.ndarray, int]:
    """Heavy atoms, and the number of residues that have some."""
    heavy = ~np.isin(prepared.model.element, ("H", "D"))
    return heavy, len(np.unique(prepared.model.residue[heavy]))


def test_one_b_for_each_residue(request_at_3: RunRequest) -> None:
    events = events_of(request_at_3, "per-residue")
    prepared, cycles, kept = outcome(events)
    heavy, residues = free_b(prepared)
    model = prepared.model
    for row in np.unique(model.residue[heavy]):
        assert len(np.unique(kept.state.b_iso[heavy & (model.residue == row)])) == 1
    assert len(np.unique(kept.state.b_iso)) > residues / 2, "they have been refined, each for itself"
    counted = cycles[-1].statistics.parameters
    special = 3 * int(heavy.sum())
    assert abs(counted - (special + residues)) <= 0.01 * counted
    assert any(isinstance(e, Note) and f"{residues} B for {int(heavy.sum())} atoms" in e.text for e in events)
    assert cycles[-1].statistics.r_free < cycles[0].statistics.r_free
    context = context_of(prepared)
    assert context.b_per_atom == pytest.approx(residues / heavy.sum()) and not context.anisotropic


def test_main_and_side_chain_have_a_b_each(request_at_3: RunRequest) -> None:
    prepared, _, kept = outcome(events_of(request_at_3, "main-side"))
    residues = prepared.model.residues
    protein = residues.kind == "protein"
    count = [
        len(np.unique(kept.state.b_iso[first : first + n]))
        for first, n, name, one in zip(residues.first_atom, residues.n_atoms, residues.name, protein, strict=True)
        if one and name != "GLY"
    ]
    assert set(count) <= {1, 2} and np.mean(np.array(count) == 2) > 0.9


def test_b_that_are_not_refined_stay_as_they_are(request_at_3: RunRequest) -> None:
    events = events_of(request_at_3, "fixed")
    prepared, cycles, kept = outcome(events)
    start = cycles[0]
    assert np.array_equal(kept.state.b_iso, np.round(start.state.b_iso, 2))
    assert np.array_equal(kept.state.u_aniso, np.round(start.state.u_aniso, 4))
    assert cycles[-1].statistics.rms_shift > 0.0 and cycles[-1].statistics.mean_abs_shift_b == 0.0
    heavy, _ = free_b(prepared)
    assert cycles[-1].statistics.parameters <= 3 * heavy.sum()
    assert any(isinstance(e, Note) and "not refined" in e.text for e in events)


def test_a_run_that_goes_on_takes_the_new_description(request_at_3: RunRequest) -> None:
    """Between two cycles: tensors go where B is chosen isotropic or grouped, and come where they are asked for."""
    _, cycles, _ = outcome(events_of(request_at_3, "anisotropic"))
    shaped = cycles[-1].state
    assert shaped.anisotropic.any()
    for choice in ("isotropic", "per-residue", "main-side"):
        prepared, again, _ = outcome(events_of(request_at_3, choice, start=shaped, first_cycle=4))
        assert not again[0].state.anisotropic.any() and again[0].statistics.cycle == 4
        assert not prepared.model.anisotropic.any()
    _, again, _ = outcome(events_of(request_at_3, "fixed", start=shaped, first_cycle=4))
    assert np.array_equal(again[-1].state.u_aniso, shaped.u_aniso), "tensors that are not refined stay"
    plain = replace(shaped, u_aniso=np.zeros_like(shaped.u_aniso))
    _, again, _ = outcome(events_of(request_at_3, "anisotropic", start=plain, first_cycle=4))
    assert again[0].state.anisotropic.any()


def test_what_is_said_of_a_change() -> None:
    base = RunRequest("a.pdb", "a.mtz")
    for choice, words in (("main-side", "two for each residue"), ("fixed", "not refined")):
        name, said = incomparable(base, replace(base, settings=replace(base.settings, b_model=choice)), 1.8)
        assert name == f"B factors automatic → {words}"
        assert "number of parameters is another" in said and ("mean B" in said) == (choice == "main-side")
    assert settings_words(replace(base.settings, b_model="per-residue")) == "B one for each residue"


def test_fewer_parameters_are_expected_to_overfit_less() -> None:
    prepared = next(event for event in recorded_run(1) if isinstance(event, Prepared))

    def per_atom(choice: BModel) -> float:
        return context_of(replace(prepared, settings=replace(prepared.settings, b_model=choice))).b_per_atom

    assert per_atom("auto") == 1.0 > per_atom("main-side") > per_atom("per-residue") > per_atom("fixed") == 0.0


def test_the_weight_of_the_b_restraints_can_be_taken_over(request_at_3: RunRequest) -> None:
    """Held tightly the B of neighbours differ less, and the test set is not asked about it any more."""
    spread = []
    for beta in (0.02, 5.0):
        chosen = replace(request_at_3.settings, b_weight=beta, cycles=6)
        events = events_of(replace(request_at_3, settings=chosen), "isotropic")
        prepared, cycles, kept = outcome(events)
        first, second = prepared.bonds.T
        spread.append(float(np.std(kept.state.b_iso[first] - kept.state.b_iso[second])))
        assert not any(isinstance(e, Note) and "Restraints of B" in e.text for e in events)
        ratio = [c.statistics.b_weight / c.statistics.automatic_weight for c in cycles]
        assert ratio == pytest.approx([ratio[0]] * len(ratio)), "the automatic one rests"
    assert spread[1] < 0.5 * spread[0]
    freely = replace(request_at_3.settings, cycles=6)
    said = [e.text for e in events_of(replace(request_at_3, settings=freely), "isotropic") if isinstance(e, Note)]
    assert any("Restraints of B" in text for text in said), "left alone it is asked"
