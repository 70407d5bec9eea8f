"""Two cycles beside each other, and the runs of a project as places to go to."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.fake_run import recorded_run
from tests.gui.test_window import finished, opened
from workbench.core.events import CycleFinished, Prepared
from workbench.core.settings import RefinementSettings
from workbench.gui.main_window import MainWindow
from workbench.gui.viewport_maps import MapTracer
from workbench.session.branches import branches, settings_words
from workbench.session.comparison import compare
from workbench.view.maps import DENSITY, DIFFERENCE, difference_of_cycles, maps_of_cycle


def test_a_difference_is_paired_and_by_residue() -> None:
    events = recorded_run(4)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    found = compare(prepared, cycles[0], cycles[-1])
    assert found.paired is not None
    assert found.paired.change == pytest.approx(cycles[-1].statistics.r_free - cycles[0].statistics.r_free, abs=4e-4)
    assert 0 < found.paired.sigma < 0.1 and "R_free is lower" in found.sentence
    moved = np.linalg.norm(cycles[-1].state.xyz - cycles[0].state.xyz, axis=1)
    assert found.rms_shift == pytest.approx(np.sqrt((moved**2).mean()))
    first = prepared.model.residue == 0
    assert found.shift[0] == pytest.approx(np.sqrt((moved[first] ** 2).mean()))
    assert list(found.shift[found.order()]) == sorted(found.shift, reverse=True)
    back = compare(prepared, cycles[-1], cycles[0])
    assert back.paired is not None and back.paired.change == pytest.approx(-found.paired.change)
    same = compare(prepared, cycles[1], cycles[1])
    assert same.rms_shift == 0.0 and same.paired is not None and same.paired.change == 0.0
    fewer = replace(cycles[0], state=replace(cycles[0].state, xyz=cycles[0].state.xyz[:-1]))
    with pytest.raises(ValueError, match="same atoms"):
        compare(prepared, fewer, cycles[1])
    no_set = replace(prepared, reflections=replace(prepared.reflections, has_free=False))
    assert compare(no_set, cycles[0], cycles[1]).paired is None
    row = cycles[1].statistics
    other_set = compare(prepared, cycles[0], replace(cycles[1], statistics=replace(row, n_free=row.n_free + 5)))
    assert other_set.paired is None and "other test reflections" in other_set.sentence
    assert np.isnan(other_set.r_work) and np.isnan(other_set.ll_free) and np.isfinite(other_set.rmsz_bonds)


def test_the_window_compares_what_is_shown_with_what_was_kept(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    panel = window.compare
    window.tabs.show_page(panel)
    qtbot.waitUntil(panel.keep.isEnabled, timeout=120000)
    kept = window.session.state.shown
    assert kept is not None
    QTest.mouseClick(panel.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "kept for comparison" in panel.words.text(), timeout=120000)
    window.scrubbing.want(1)
    qtbot.waitUntil(lambda: len(panel.table.rows) > 0, timeout=120000)
    assert panel.title.text().startswith("Cycle 1 against cycle")
    assert "R_free is" in panel.words.text()
    wanted = panel.title.sizeHint().width()
    assert panel.title.isVisible() and panel.title.width() >= wanted, "the whole title is to be read"
    shown = window.session.state.viewed
    QTest.mouseClick(panel.back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.state.viewed is not shown, timeout=120000)
    qtbot.waitUntil(lambda: "against cycle 1" in panel.title.text(), timeout=120000)


def test_every_run_is_a_place_to_look_at_and_to_go_to(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    session = window.session
    first = session.state.position
    session.go_to_cycle(2)
    session.set_weight(3.0)
    session.refine()
    qtbot.waitUntil(lambda: session.state.status == "finished" and session.state.position != first, timeout=120000)
    journal = session.journal
    assert journal is not None
    found = branches(journal, session.state.position)
    assert [one.here for one in found] == [False, True]
    assert found[1].first == 2 and "weight 3" in found[1].words and found[1].parent is not None
    menu = window.timeline.show_branches(found)
    entries = [action.menu() for action in menu.actions()]
    look, go = entries[0].actions()  # type: ignore[union-attr]
    look.trigger()
    qtbot.waitUntil(lambda: session.state.viewed_key == first, timeout=120000)
    assert session.state.position == found[1].key, "looking moves nobody"
    go.trigger()
    qtbot.waitUntil(lambda: session.state.position == first, timeout=120000)
    menu.close()
    session.undo()
    assert session.state.position == found[1].key


def test_settings_in_words() -> None:
    usual = RefinementSettings()
    assert settings_words(usual) == ""
    other = replace(usual, weight=2.5, d_min=2.0, b_model="isotropic", family_weights=(2.0, *usual.family_weights[1:]))
    assert settings_words(other) == "weight 2.5, bonds 2, to 2.00 \u00c5, isotropic"
    other = replace(usual, rigid_body="on", rigid_groups="chains", fix="A:1-9", shake=0.3, reset_b=20.0)
    assert settings_words(other) == "rigid bodies on, chains, fixed A:1-9, shaken 0.3 \u00c5, B from 20"
    # How many cycles, threads and random numbers, and what was agreed to, tells no run from another.
    silent = {"cycles", "threads", "seed", "accept_unplaced", "hold_sigma"}
    changed: dict[str, object] = {
        "weight": 2.0, "family_weights": (2.0, *usual.family_weights[1:]), "b_weight": 2.0, "jelly_body": 1.0,
        "ncs": 1.0, "d_min": 2.0, "hydrogens": "none", "shake": 0.1, "reset_b": "mean", "b_model": "fixed",
        "nuclear_distances": True, "scattering": "electron", "rigid_body": "off", "rigid_groups": "chains",
        "fix": "A", "hold": "A", "likelihood": "intensities",
    }  # fmt: skip
    assert silent | set(changed) == {field.name for field in fields(usual)}, "every setting has words, or needs none"
    for name, value in changed.items():
        assert settings_words(replace(usual, **{name: value})), name  # type: ignore[arg-type]


def two_cycles() -> tuple[Prepared, list[CycleFinished]]:
    events = recorded_run(4)
    prepared = next(event for event in events if isinstance(event, Prepared))
    return prepared, [event for event in events if isinstance(event, CycleFinished)]


def test_the_map_of_a_difference_is_the_difference_of_the_maps() -> None:
    prepared, cycles = two_cycles()
    found = difference_of_cycles(prepared, cycles[0], cycles[-1])
    one, other = (maps_of_cycle(prepared, cycle).grids[DENSITY] for cycle in (cycles[0], cycles[-1]))
    assert np.allclose(found.values, other.values - one.values, atol=1e-5 * np.abs(other.values).max())
    assert found.sigma == pytest.approx(np.sqrt(np.mean((other.values - one.values) ** 2)), rel=1e-3)
    assert np.abs(found.values).max() > 0.01 * np.abs(other.values).max()
    assert np.abs(difference_of_cycles(prepared, cycles[1], cycles[1]).values).max() == 0.0
    factors = replace(cycles[1].refined, f_model=cycles[1].refined.f_model[:-1])
    with pytest.raises(ValueError, match="other reflections"):
        difference_of_cycles(prepared, cycles[0], replace(cycles[1], refined=factors))


def test_the_newest_difference_takes_the_place_of_the_last(qtbot: QtBot) -> None:
    prepared, cycles = two_cycles()
    tracer = MapTracer(lambda work: None, enabled=False)
    tracer.set_prepared(prepared)
    tracer.set_maps(maps_of_cycle(prepared, cycles[-1]))
    said: list[str] = []
    tracer.message.connect(said.append)
    for cycle in cycles[1:]:
        tracer.show_between(cycles[0], cycle, f"cycle {cycle.statistics.cycle} \u2212 0")
    last = f"cycle {cycles[-1].statistics.cycle} \u2212 0"
    qtbot.waitUntil(lambda: not tracer.busy, timeout=120000)
    assert [name for name in tracer.maps.grids if name.startswith("cycle")] == [last]
    assert last in tracer.maps.differences and tracer.active == last
    tracer.levels[last] = 5.0
    tracer.show_between(cycles[1], cycles[2], "cycle 2 \u2212 1")
    qtbot.waitUntil(lambda: not tracer.busy, timeout=120000)
    assert tracer.levels["cycle 2 \u2212 1"] == 5.0 and last not in tracer.maps.grids
    tracer.set_maps(tracer.maps)
    tracer.set_cycle(prepared, cycles[2])
    qtbot.waitUntil(lambda: not tracer.busy, timeout=120000)
    assert "cycle 2 \u2212 1" in tracer.maps.grids, "it stays when the maps of a cycle come"
    factors = replace(cycles[1].refined, f_model=cycles[1].refined.f_model[:-1])
    tracer.show_between(cycles[0], replace(cycles[1], refined=factors), "none")
    qtbot.waitUntil(lambda: bool(said), timeout=120000)
    assert "other reflections" in said[-1] and set(tracer.maps.grids) == {DENSITY, DIFFERENCE}
    tracer.show_between(cycles[0], cycles[2], "again")
    tracer.hide_between()
    qtbot.waitUntil(lambda: not tracer.busy, timeout=120000)
    assert set(tracer.maps.grids) == {DENSITY, DIFFERENCE}, "what is not wanted any more is dropped"
    tracer.close()


def test_the_window_asks_for_the_map_while_it_is_wanted(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int] | None] = []
    monkeypatch.setattr(
        window.view, "show_between", lambda a, b: asked.append((a.statistics.cycle, b.statistics.cycle))
    )
    monkeypatch.setattr(window.view, "hide_between", lambda: asked.append(None))
    opened(window, qtbot)
    finished(window, qtbot)
    window.tabs.show_page(window.compare)
    shown = window.session.state.shown
    assert shown is not None and not window.compare.map.isVisible()
    QTest.mouseClick(window.compare.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(window.compare.map.isVisible, timeout=120000)
    QTest.mouseClick(window.compare.map, Qt.MouseButton.LeftButton)
    assert asked[-1] is None, "there is nothing to subtract from itself"
    window.scrubbing.want(1)
    qtbot.waitUntil(lambda: asked[-1] == (shown.statistics.cycle, 1), timeout=120000)
    QTest.mouseClick(window.compare.map, Qt.MouseButton.LeftButton)
    assert asked[-1] is None


def test_swap_shows_the_cycle_of_another_run_again(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    session = window.session
    session.look_beside(-1)
    first, key = session.state.viewed, session.state.viewed_key
    window.compare.keep_wanted.emit()
    session.go_to_cycle(2)
    session.set_weight(3.0)
    session.refine()
    qtbot.waitUntil(lambda: session.state.status == "finished" and len(session.state.statistics) > 4, timeout=120000)
    window.compare.back_wanted.emit()
    qtbot.waitUntil(lambda: session.state.viewed_key == key, timeout=120000)
    assert first is not None and session.state.viewed is not None
    assert session.state.viewed.statistics.cycle == first.statistics.cycle
