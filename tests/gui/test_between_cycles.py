"""Resolution limit, B model and free set changed between two cycles, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from tests.fake_run import recorded_run
from tests.gui.test_window import finished, opened
from workbench.core.events import CycleFinished, Prepared
from workbench.core.settings import BModel, LikelihoodOf, RigidBody, RunRequest
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.refinement import B_MODELS, B_SHORT, LIKELIHOODS, RIGID_BODY, RIGID_GROUPS
from workbench.session.free_sets import flagged_sets
from workbench.session.incomparable import incomparable


def _last(window: MainWindow) -> int:
    return window.session.state.statistics[-1].cycle


def test_a_running_refinement_goes_on_from_its_newest_cycle(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    session = window.session
    session.set_settings(type(session.state.settings)(cycles=400))
    session.refine()
    qtbot.waitUntil(lambda: _last(window) >= 3, timeout=20000)
    before = session.state.statistics
    window.refinement.resolution_wanted.emit(2.5)
    number = session.state.statistics[-1].cycle
    assert session.state.settings.d_min == 2.5
    qtbot.waitUntil(lambda: session.state.status == "running" and _last(window) >= number + 2, timeout=20000)
    request = session.state.request
    assert request is not None and request.settings.d_min == 2.5 and request.first_cycle == number
    assert [r.cycle for r in session.state.statistics[: number + 1]] == [r.cycle for r in before][: number + 1]
    said = [line for line in session.state.log if "other reflections" in line.text]
    assert said and said[0].severity == "warning"
    assert any("resolution" in mark.text for mark in session.state.marks)
    journal = session.journal
    assert journal is not None and len(journal.runs()) == 2 and journal.runs()[1].parent is not None
    session.stop()
    qtbot.waitUntil(lambda: session.state.status == "finished", timeout=20000)
    assert journal.integrity() == "ok"


def test_paused_or_finished_it_waits_for_refine(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    window.refinement.b_model_wanted.emit("isotropic")
    state = window.session.state
    assert state.status == "finished" and state.settings.b_model == "isotropic"
    assert any("number of parameters" in line.text for line in state.log)
    window.refinement.b_model_wanted.emit("isotropic")
    assert window.session.state.log == state.log, "what is so already needs no word"
    window.session.refine()
    qtbot.waitUntil(lambda: window.session.state.status == "finished", timeout=20000)
    request = window.session.state.request
    assert request is not None and request.settings.b_model == "isotropic"


@pytest.mark.parametrize("name", ["main-side", "per-residue", "fixed"])
def test_fewer_b_than_atoms_can_be_chosen_between_cycles(window: MainWindow, qtbot: QtBot, name: str) -> None:
    assert set(B_MODELS) == set(get_args(BModel)), "the menu has every choice of the engine"
    opened(window, qtbot)
    finished(window, qtbot)
    window.refinement.b_choice.click()
    menu = next(m for m in window.refinement.findChildren(QMenu) if m.isVisible())
    action = next(a for a in menu.actions() if a.text() == B_MODELS[name])
    assert not action.isChecked()
    action.trigger()
    menu.close()
    state = window.session.state
    assert state.settings.b_model == name
    assert window.refinement.b_factors.value.text() == B_SHORT[name][0]
    said = [line.text for line in state.log if "number of parameters" in line.text]
    assert said and B_SHORT[name][0] in said[-1]


def test_amplitudes_or_intensities_can_be_chosen_between_cycles(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.refinement
    assert set(LIKELIHOODS) == set(get_args(LikelihoodOf)) - {"auto"}
    assert panel.likelihood.isHidden(), "nothing to choose before there are data"
    opened(window, qtbot)
    finished(window, qtbot)
    assert not panel.likelihood.isHidden() and panel.likelihood.value.text() == "amplitudes"
    panel.likelihood_choice.click()
    menu = next(m for m in panel.findChildren(QMenu) if m.isVisible())
    actions = {action.text(): action for action in menu.actions()}
    assert actions[LIKELIHOODS["amplitudes"]].isChecked()
    before = len(window.session.state.log)
    actions[LIKELIHOODS["amplitudes"]].trigger()
    assert len(window.session.state.log) == before, "what is so already needs no word"
    actions[LIKELIHOODS["intensities"]].trigger()
    menu.close()
    state = window.session.state
    assert state.settings.likelihood == "intensities" and panel.likelihood.value.text() == "intensities"
    assert any("do not compare" in line.text for line in state.log)
    window.session.refine()
    qtbot.waitUntil(lambda: window.session.state.status == "finished", timeout=20000)
    state = window.session.state
    assert state.prepared is not None and state.prepared.likelihood == "intensities"
    assert state.statistics[-1].likelihood == "intensities" and state.statistics[0].likelihood == "amplitudes"


def test_without_intensities_there_is_no_such_row(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    state = window.session.state
    assert state.prepared is not None
    data = replace(state.prepared.reflections, intensity=None, sigma_intensity=None)
    window.refinement.show_state(None, replace(state, prepared=replace(state.prepared, reflections=data)))
    assert window.refinement.likelihood.isHidden()


def test_rigid_bodies_have_a_control(window: MainWindow, qtbot: QtBot) -> None:
    """Files that are open are prepared again; while a run goes on it holds from the next one."""
    panel = window.refinement
    assert set(RIGID_BODY) == set(get_args(RigidBody))

    def choose(words: str) -> None:
        QTest.mouseClick(panel.rigid_choice, Qt.MouseButton.LeftButton)
        menu = [m for m in panel.findChildren(QMenu) if m.isVisible()][-1]
        next(a for a in menu.actions() if a.text() == words).trigger()
        menu.close()

    opened(window, qtbot)
    choose(RIGID_BODY["on"][1])
    assert window.session.state.settings.rigid_body == "on"
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)
    request = window.session.state.request
    assert request is not None and request.settings.rigid_body == "on"
    assert panel.rigid_bodies.value.text() == "at the start"
    choose(RIGID_GROUPS["chains"][1])
    assert panel.rigid_bodies.value.text() == "at the start, by chain"
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)
    finished(window, qtbot)
    choose(RIGID_BODY["off"][1])
    assert panel.rigid_bodies.value.text() == "off" and window.session.state.settings.rigid_groups == "chains"
    assert window.session.state.status == "finished"


def test_a_limit_that_no_run_could_use_changes_nothing(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    before = window.session.state
    window.refinement.resolution_wanted.emit(-1.0)
    assert window.session.state is before
    assert "resolution" in window.status.message.text().lower() or "used" in window.status.message.text()


def test_another_free_set_is_named_with_its_size_and_r(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    state = window.session.state
    prepared = state.prepared
    assert prepared is not None
    menu = window.files.free_menu()
    texts = [action.text() for action in menu.actions()]
    assert "refined against" in texts[0]
    sets = flagged_sets(prepared, state.shown)
    for one in sets:
        assert any(f"= {one.value} " in text and f"{one.count} reflections" in text for text in texts)
    menu.close()
    window.files.free_chosen.emit("FREE", 3)
    request = window.session.state.request
    assert request is not None and (request.free_label, request.free_value) == ("FREE", 3)
    assert any("shaken" in line.text for line in window.session.state.log)


def test_r_of_every_set_is_that_of_its_reflections() -> None:
    events = recorded_run(2)
    prepared = next(event for event in events if isinstance(event, Prepared))
    last = [event for event in events if isinstance(event, CycleFinished)][-1]
    data = prepared.reflections
    flags = np.where(data.free, 0, 1 + np.arange(len(data)) % 3).astype(np.int32)
    flags[5] = -(2**31)
    prepared = replace(prepared, reflections=replace(data, flags=flags))
    sets = {one.value: one for one in flagged_sets(prepared, last)}
    assert set(sets) == {0, 1, 2, 3}
    assert sets[0].r == pytest.approx(last.statistics.r_free, abs=2e-3)
    assert sum(one.count for one in sets.values()) == len(data) - 1
    assert np.isnan(flagged_sets(prepared, None)[0].r)
    assert flagged_sets(replace(prepared, reflections=replace(data, flags=None)), last) == []


def test_what_a_change_makes_incomparable() -> None:
    base = RunRequest("a.pdb", "a.mtz")
    assert incomparable(base, base, 1.8) == ("", "")
    name, said = incomparable(base, replace(base, settings=replace(base.settings, d_min=2.0)), 1.8)
    assert name == "resolution 1.80 \u2192 2.00" and "other reflections" in said
    name, said = incomparable(base, replace(base, settings=replace(base.settings, likelihood="intensities")), 1.8)
    assert name == "likelihood of intensities" and "do not compare" in said and "R factors" in said
    name, said = incomparable(base, replace(base, free_label="F2", free_value=3), 1.8)
    assert "F2 = 3" in name and "no independent measure" in said
