"""The window against the real session and a scripted run: what the user sees and what reaches the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu
from pytestqt.qtbot import QtBot

from tests.fake_run import fake_run, recorded_run, write_files
from workbench.core.events import CycleFinished, Failed, Finished
from workbench.core.settings import FAMILIES, LOCAL_RESTRAINTS, RefinementSettings
from workbench.engine.validation.placement import REMEDY
from workbench.gui.app import make_window
from workbench.gui.main_window import MainWindow, plot_marks
from workbench.gui.panels.cycle_plots import error_of_r_free
from workbench.gui.panels.files import space_group_markup
from workbench.gui.panels.header import change_text
from workbench.gui.panels.weights import WeightsPanel, weight_range
from workbench.gui.recognise import recognise
from workbench.gui.theme import COMPACT, DARK, LIGHT, MEDIUM, PADDING, WIDE, Colours, advance, sizes_for, theme
from workbench.gui.view_area import ViewArea
from workbench.gui.widgets.log_slider import LogSlider
from workbench.gui.widgets.number_field import NumberField, three_figures
from workbench.gui.widgets.plot import nice_ticks
from workbench.gui.widgets.text import Label, parse, plain_text
from workbench.session.state import Mark, SessionState
from workbench.session.worker import engine_run


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A window on the real session whose child process plays the scripted run; no OpenGL is needed."""
    monkeypatch.setattr("workbench.gui.view_area.make_viewport", lambda parent: (None, "No OpenGL in this test."))
    made = make_window(source=fake_run, keep_preferences=False)
    made.set_appearance("dark")
    made.resize(1680, 1050)
    made.show()
    # Without a window manager nobody gives the keyboard to a new window, and shortcuts belong to the active one.
    made.activateWindow()
    assert QTest.qWaitForWindowActive(made)
    yield made
    made.close()
    made.deleteLater()


def opened(window: MainWindow, qtbot: QtBot, name: str = "peptide.pdb") -> None:
    window.open_pair(f"/files/{name}", "/files/peptide.mtz")
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)


def finished(window: MainWindow, qtbot: QtBot) -> None:
    window.session.refine()
    qtbot.waitUntil(lambda: window.session.state.status == "finished", timeout=60000)
    qtbot.waitUntil(lambda: not window._redraw.isActive(), timeout=5000)


# what is read


def test_a_run_is_followed_while_the_view_is_moved(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes then wait for a beat of their own, and none is lost; no change is followed twice."""
    followed: list[object] = []
    follow = window._follow

    def counted(old: object, new: object) -> None:
        followed.append(window.session.state)
        follow(old, new)  # type: ignore[arg-type]

    monkeypatch.setattr(window, "_follow", counted)
    opened(window, qtbot)
    monkeypatch.setattr(ViewArea, "moving_slowly", property(lambda self: True))
    frames = iter([False, True] * 10_000)
    monkeypatch.setattr(ViewArea, "turn_for_others", lambda self: next(frames))
    finished(window, qtbot)
    qtbot.waitUntil(lambda: window._drawn is window.session.state and not window._later.isActive(), timeout=60000)
    assert window._seen is window.session.state and followed[-1] is window.session.state
    shown = window.session.state.shown
    assert shown is not None
    assert window.header.work.value == f"{shown.statistics.r_work:.3f}"
    cycles = [state.statistics[-1].cycle for state in followed if state.statistics]
    assert cycles == sorted(cycles) and cycles[-1] == window.session.state.statistics[-1].cycle


def test_empty_window_invites_and_claims_nothing(window: MainWindow) -> None:
    assert window.view.stack.currentWidget() is window.view.start
    assert window.view.start.open_button.isVisible()
    assert window.files.model_title.label.text() == "No model yet"
    assert not window.actions_.refine.isEnabled()
    assert not window.actions_.export.isEnabled()
    assert window.header.work.value == "\u2013"
    assert not window.weights.data.isEnabled()


def test_what_was_read_is_shown(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    prepared = window.session.state.prepared
    assert prepared is not None
    files = window.files
    assert files.model_title.label.text() == "peptide.pdb"
    assert files.data_title.label.text() == "peptide.mtz"
    assert files.space_group.value.text().replace("\u2009", " ") == "P 21 21 21"
    assert files.cell.value.text() == "15.20  17.40  19.60 \u00c5"
    assert files.reflections.value.text().startswith(str(len(prepared.reflections)))
    assert f"{prepared.reflections.d_min:.2f} \u00c5" in files.resolution.value.text()
    share = 100 * prepared.reflections.free.mean()
    assert files.free_set.value.text().startswith(f"{share:.1f} %")
    assert prepared.reflections.columns.free_reason in files.free_reason.text.text()
    assert files.amplitudes.value.text() == "F, SIGF"
    assert "1 water" in files.atoms.value.text()
    assert window.residues.rows.rowCount() == len(prepared.model.residues)
    assert window.actions_.refine.isEnabled()


def test_error_stands_beside_its_file(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    window.session.handle(
        Failed("the cells differ by 12 %.", 1, "Traceback", "/files/peptide.mtz", "cell", "Take care.")
    )
    card = window.files.data_error
    assert card.isVisible()
    assert not window.files.model_error.isVisible()
    assert card.message.text() == "The cells differ by 12 %."
    assert card.remedy.text() == "Take care."
    assert "Traceback" not in card.accessibleName()
    card.details.click()
    box = QApplication.activeModalWidget() or window.findChild(type(card), "") or None
    from PySide6.QtWidgets import QMessageBox

    boxes = window.findChildren(QMessageBox)
    assert boxes and "Traceback" in boxes[0].detailedText()
    boxes[0].close()
    assert box is None or box is boxes[0]


def test_an_unplaced_model_can_be_refined_all_the_same(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    window.session.handle(Failed("It fits no better than chance.", 1, "", "/files/peptide.pdb", "", REMEDY))
    card = window.files.model_error
    assert card.isVisible() and card.accept.isVisible()
    assert "--accept" not in card.remedy.text() and card.remedy.text().endswith("indexing.")
    assert not window.session.state.settings.accept_unplaced
    card.accept.click()
    assert window.session.state.request is not None and window.session.state.request.settings.accept_unplaced
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)
    assert not card.isVisible()
    # it was said of this pair alone
    opened(window, qtbot)
    assert not window.session.state.settings.accept_unplaced


def test_files_dropped_in_any_order(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    dictionary = tmp_path / "LIG.cif"
    dictionary.write_text("data_comp_LIG\nloop_\n_chem_comp_atom.comp_id\n_chem_comp_atom.atom_id\nLIG C1\n")
    assert recognise(model) == "model"
    assert recognise(data) == "data"
    assert recognise(dictionary) == "dictionary"
    window.open_files([str(dictionary)])
    qtbot.waitUntil(lambda: window.chosen_dictionaries == (str(dictionary),), timeout=10000)
    drop(window, data)
    qtbot.waitUntil(lambda: window.chosen_data == str(data), timeout=10000)
    assert window.session.state.status == "empty"
    assert "model" in window.files.hint.text()
    drop(window, model)
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)
    request = window.session.state.request
    assert request is not None
    assert (request.model_path, request.data_path) == (str(model), str(data))
    assert request.dictionaries == (str(dictionary),)


def drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)


def test_unknown_file_is_refused_in_words(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    note = tmp_path / "notes.txt"
    note.write_text("remember the milk\n")
    window.open_files([str(note)])
    qtbot.waitUntil(window.files.other_error.isVisible, timeout=10000)
    assert "notes.txt" in window.files.other_error.message.text()
    assert window.session.state.status == "empty"


# the run


def test_a_run_fills_header_plots_tables_and_log(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    state = window.session.state
    assert state.shown is not None and state.shown is state.kept
    kept = state.shown.statistics
    assert window.header.work.value == f"{kept.r_work:.3f}"
    assert window.header.free.value == f"{kept.r_free:.3f}"
    assert window.header.free.error == f"\u00b1{0.87 * kept.r_free / np.sqrt(kept.n_free):.3f}"
    x, y = window.r_factors.work.getData()
    assert list(x) == [s.cycle for s in state.statistics]
    assert list(y) == [s.r_work for s in state.statistics]
    x, y = window.geometry_panel.curves["bonds"].getData()
    assert list(y) == [s.geometry["bonds"][0] for s in state.statistics]
    assert len(window.plane.path.getData()[0]) == len(state.statistics)
    assert window.log.toPlainText().count("\n") + 1 == len(state.log)
    assert state.log[0].text in window.log.toPlainText()
    assert len(window.data_quality.rows) == len(state.shown.written.shells.d_min)
    assert [plain_text(row[0]) for row in window.timeline.table.rows] == [str(s.cycle) for s in state.statistics]
    assert [row[1] for row in window.timeline.table.rows] == [f"{s.r_work:.4f}" for s in state.statistics]
    assert window.status.state.text() == "Finished"
    b = state.shown.state.b_iso[state.prepared.model.residue == 0].mean()  # type: ignore[union-attr]
    assert window.residues.rows.mean_b[0] == pytest.approx(b)


def test_the_kept_cycle_is_shown_once_the_run_has_ended(window: MainWindow, qtbot: QtBot) -> None:
    events = recorded_run(cycles=4)
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    shown: list[CycleFinished] = []
    window.view.show_cycle = shown.append  # type: ignore[method-assign]
    for event in events[:-1]:
        window.session.handle(event)
    assert shown[-1] is cycles[-1]
    window.session.handle(Finished("stopped", "Stopped after cycle 4; the model of cycle 2 is kept.", cycles[2], 1, 1))
    qtbot.waitUntil(lambda: window._drawn is window.session.state, timeout=2000)
    kept = cycles[2].statistics
    assert shown[-1] is cycles[2]
    assert window.header.work.value == f"{kept.r_work:.3f}"
    assert window.header.free.change == "cycle 2, kept"
    assert window.r_factors.plot.cursor_x == 2.0
    assert window.r_factors.plot.end_labels[0].y == kept.r_work
    assert window.timeline.table.marked == 2
    assert window.timeline.table.rows[2][-1].endswith("kept")
    assert window.data_quality.rows[0][3] == f"{cycles[2].written.shells.r_work[0]:.3f}"
    assert "cycle 2 is kept" in window.status.more.text()
    # The gap beside these R values is theirs; the sentence of the verdict names the cycle that it judges.
    place = window.header.verdict
    assert place.gap is not None and place.gap.cycle == 2
    assert place.gap.gap == pytest.approx(kept.r_free - kept.r_work)
    last = cycles[-1].statistics
    assert place.gap.gap != pytest.approx(last.r_free - last.r_work, abs=1e-4), "otherwise this shows nothing"
    assert place.sentence.startswith(f"Cycle {last.cycle}: ") and place.sentence in place.accessibleName()


def test_the_gap_of_a_run_under_way_is_that_of_its_newest_cycle(window: MainWindow, qtbot: QtBot) -> None:
    events = recorded_run(cycles=5)
    for event in events[:-1]:
        window.session.handle(event)
    qtbot.waitUntil(lambda: window._drawn is window.session.state, timeout=2000)
    now = window.session.state.statistics[-1]
    place = window.header.verdict
    assert place.gap is not None and place.gap.cycle == now.cycle
    assert place.gap.gap == pytest.approx(now.r_free - now.r_work)
    assert not place.sentence.startswith("Cycle ")


def test_pause_step_and_stop(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot, "peptide-slow.pdb")
    actions = window.actions_
    actions.step.trigger()
    qtbot.waitUntil(lambda: window.session.state.status == "paused", timeout=60000)
    assert window.session.state.statistics[-1].cycle == 1
    assert window.status.state.text() == "Paused after cycle 1"
    QTest.keySequence(window, "Ctrl+R")
    assert window.session.state.status == "running"
    assert actions.stop.isEnabled() and not actions.step.isEnabled()
    QTest.keySequence(window, "Ctrl+R")
    assert window.session.state.status == "paused"
    actions.stop.trigger()
    qtbot.waitUntil(lambda: window.session.state.status == "finished", timeout=60000)
    assert actions.export.isEnabled()


def test_weight_slider_acts_while_the_run_goes_on(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot, "peptide-slow.pdb")
    window.session.refine()
    row = window.weights.data
    automatic = window.session.state.latest.statistics.automatic_weight  # type: ignore[union-attr]
    assert row.auto.isChecked()
    assert row.auto.text() == f"Auto {three_figures(automatic)}"
    row.slider.setFocus()
    QTest.keyClick(row.slider, Qt.Key.Key_Right)
    moved = row.slider.number()
    assert moved > automatic
    qtbot.waitUntil(lambda: window.session.state.settings.weight == pytest.approx(moved), timeout=2000)
    assert not row.auto.isChecked()
    cycle = window.session.state.statistics[-1].cycle
    qtbot.waitUntil(lambda: window.session.state.statistics[-1].cycle > cycle, timeout=10000)
    assert window.session.state.statistics[-1].xray_weight == pytest.approx(moved)
    assert [mark.cycle for mark in window.session.state.marks] == [cycle]
    qtbot.waitUntil(lambda: len(window.r_factors.plot.marks) == 1, timeout=2000)
    assert "weight" in window.r_factors.plot.marks[0][1]
    row.slider.automatic_wanted.emit()
    assert window.session.state.settings.weight is None
    assert row.auto.isChecked()


def test_typed_weight_and_family_weights_reach_the_session(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    field = window.weights.data.field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "2,5")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.session.state.settings.weight == 2.5
    window.weights.families.setChecked(True)
    window.weights.family_rows[0].slider.moved.emit(2.0)
    window.weights.b.slider.moved.emit(0.5)
    qtbot.waitUntil(lambda: window.session.state.settings.family_weights[0] == 2.0, timeout=2000)
    settings = window.session.state.settings
    weights = dict(zip(FAMILIES, settings.family_weights, strict=True))
    assert weights == {**dict.fromkeys(FAMILIES, 1.0), "bonds": 2.0} and settings.b_weight == 0.5
    assert window.weights.families.summary == "1 changed"
    bonds, angles = window.weights.family_rows[:2]
    assert bonds.number.text() == "2.00"
    angles.number.setFocus()
    angles.number.selectAll()
    QTest.keyClicks(angles.number, "0.25")
    QTest.keyClick(angles.number, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.state.settings.family_weights[1] == 0.25)
    assert angles.slider.number() == 0.25 and window.session.state.settings.family_weights[0] == 2.0


def test_restraints_of_distances_are_rows_of_the_families(qapp: QApplication, qtbot: QtBot) -> None:
    """Automatic, off, or a strength: by slider, by menu, by double click."""
    panel = WeightsPanel()
    qtbot.addWidget(panel)
    panel.show()
    wanted: list[RefinementSettings] = []
    panel.settings_wanted.connect(wanted.append)
    panel.show_state(None, SessionState(settings=RefinementSettings()))
    assert [row.setting for row in panel.local_rows] == list(LOCAL_RESTRAINTS)
    jelly, ncs = panel.local_rows
    assert jelly.choice.text() == ncs.choice.text() == "auto" and panel.families.summary == "all \u00d7 1.0"
    jelly.slider.moved.emit(2.0)
    qtbot.waitUntil(lambda: len(wanted) == 1)
    assert wanted[0].jelly_body == 2.0 and wanted[0].ncs is None
    panel.show_state(None, SessionState(settings=wanted[0]))
    assert jelly.choice.text() == "2.0" and panel.families.summary == "1 changed"
    ncs._choose()
    menu = next(m for m in ncs.findChildren(QMenu))
    next(a for a in menu.actions() if a.text() == "Off").trigger()
    menu.close()
    qtbot.waitUntil(lambda: len(wanted) == 2)
    assert wanted[1].jelly_body == 2.0 and wanted[1].ncs == 0.0
    panel.show_state(None, SessionState(settings=wanted[1]))
    assert ncs.choice.text() == "off" and panel.families.summary == "2 changed"
    jelly.slider.automatic_wanted.emit()
    qtbot.waitUntil(lambda: len(wanted) == 3)
    assert wanted[2].jelly_body is None


def test_the_b_restraint_shows_its_automatic_weight_and_lets_go(window: MainWindow, qtbot: QtBot) -> None:
    row = window.weights.b
    assert not row.isEnabled(), "nothing is known before files are open"
    opened(window, qtbot, "peptide-slow.pdb")
    latest = window.session.state.latest
    assert latest is not None
    automatic = latest.statistics.b_weight
    assert row.auto.text() == f"Auto {three_figures(automatic)}" and row.auto.isChecked()
    assert row.slider.number() == pytest.approx(automatic)
    window.session.refine()
    row.slider.setFocus()
    QTest.keyClick(row.slider, Qt.Key.Key_Right)
    moved = row.slider.number()
    qtbot.waitUntil(lambda: window.session.state.settings.b_weight == pytest.approx(moved), timeout=20000)
    assert not row.auto.isChecked() and row.auto.text() == f"Auto {three_figures(automatic)}"
    assert any(mark.text.startswith("B restraint") for mark in window.session.state.marks)
    QTest.mouseClick(row.auto, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.state.settings.b_weight is None, timeout=20000)
    assert row.auto.isChecked()
    window.session.stop()
    qtbot.waitUntil(lambda: window.session.state.status == "finished", timeout=20000)


def test_hydrogens_can_be_left_out_before_the_run(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    toggle = window.refinement.hydrogen_toggle
    assert toggle.isEnabled() and toggle.isChecked()
    toggle.click()
    assert window.session.state.settings.hydrogens == "none"
    assert window.refinement.hydrogens.value.text() == "left out"
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)
    window.session.refine()
    assert not toggle.isEnabled()


def test_killed_child_is_said_and_what_was_done_is_kept(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot, "peptide-crash.pdb")
    window.session.refine()
    qtbot.waitUntil(lambda: window.session.state.status == "failed", timeout=60000)
    assert window.files.other_error.isVisible()
    assert window.status.state.text() == "Failed"
    assert window.actions_.export.isEnabled()
    assert window.isVisible()


def test_export_in_the_background(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    window.export(str(tmp_path / "out"))
    qtbot.waitUntil(lambda: not window._exporting, timeout=60000)
    assert window.status.message.text().startswith("Exported")
    assert (tmp_path / "out" / "statistics.json").is_file()


def test_fast_cycles_are_drawn_at_most_five_times_a_second(window: MainWindow, qtbot: QtBot) -> None:
    drawn = []
    plain = window.r_factors.show_statistics
    window.r_factors.show_statistics = lambda *a: (drawn.append(1), plain(*a))  # type: ignore[method-assign]
    for event in recorded_run(cycles=12):
        window.session.handle(event)
    work = window.r_factors.work
    qtbot.waitUntil(lambda: work.getData()[0] is not None and len(work.getData()[0]) == 13)
    assert 1 <= len(drawn) <= 4


def test_without_a_test_set_nothing_is_invented(window: MainWindow, qtbot: QtBot) -> None:
    for event in recorded_run(cycles=3):
        shown = event
        if isinstance(event, CycleFinished):
            shown = dataclasses.replace(event, statistics=_no_free(event))
        if isinstance(event, Finished):
            shown = dataclasses.replace(event, kept=dataclasses.replace(event.kept, statistics=_no_free(event.kept)))
        window.session.handle(shown)
    qtbot.waitUntil(lambda: bool(window.r_factors.plot.end_labels))
    assert window.header.free.value == "\u2013"
    assert window.header.free.change == "no test set"
    assert any(label.markup == "no test set" for label in window.r_factors.plot.end_labels)


def _no_free(cycle: CycleFinished):  # type: ignore[no-untyped-def]
    return dataclasses.replace(cycle.statistics, r_free=np.nan, r_free_riding_h=np.nan, ll_free=np.nan, n_free=0)


# commands, layout, looks


def test_command_list_finds_commands_and_residues(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    QTest.keySequence(window, "Ctrl+K")
    assert window.commands.isVisible()
    window.header.search.setText("light")
    assert "Light" in window.commands.shown()
    window.header.search.setText("a 2")
    assert window.commands.shown()[0] == "A 2 VAL"
    QTest.keyClick(window.header.search, Qt.Key.Key_Return)
    assert not window.commands.isVisible()
    assert window.residues.currentIndex().row() == 1
    QTest.keySequence(window, "Ctrl+K")
    window.header.search.setText("no such thing")
    assert window.commands.shown() == []
    QTest.keyClick(window.header.search, Qt.Key.Key_Escape)
    assert not window.commands.isVisible()


@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_the_keyboard_returns_to_where_it_was_before_the_search(window: MainWindow, qtbot: QtBot, end: Qt.Key) -> None:
    opened(window, qtbot)
    window.residues.setFocus()
    window._find_residue()
    window._find_residue()
    assert window.header.search.hasFocus()
    window.header.search.setText("a 2")
    QTest.keyClick(window.header.search, end)
    assert window.residues.hasFocus()


@pytest.mark.parametrize(("width", "height", "sizes"), [(1680, 1050, WIDE), (1440, 900, MEDIUM), (1280, 800, COMPACT)])
def test_areas_have_the_sizes_of_the_design(
    window: MainWindow, qtbot: QtBot, width: int, height: int, sizes: object
) -> None:
    window.resize(width, height)
    qtbot.wait(50)
    if window.size().width() != width:
        pytest.skip("this display is smaller than the window under test")
    assert theme.sizes is sizes
    assert window.columns.sizes() == [
        theme.sizes.left,
        width - theme.sizes.left - theme.sizes.right - 2,
        theme.sizes.right,
    ]
    assert window.centre.sizes()[1] == theme.sizes.bottom == window.right.sizes()[1]
    edge = window.right.mapTo(window, QPoint(0, 0)).x()
    assert window.header.verdict.mapTo(window, QPoint(0, 0)).x() == edge
    for button in window.header.buttons:
        assert button.isHidden() or button.width() >= button.sizeHint().width()


def test_narrow_window_has_a_drawer(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1100, 760)
    qtbot.waitUntil(lambda: not window.left.isVisible())
    window.header.panel_button.click()
    assert window.left.isVisible()


def test_keyboard_reaches_every_control_and_all_have_names(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    window.weights.families.setChecked(True)
    for kind in (QAbstractButton, LogSlider, NumberField):
        for widget in window.findChildren(kind):
            if widget.isVisible() and "QTabBar" not in type(widget.parent()).__name__:
                assert widget.accessibleName(), widget
                assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget
    shortcuts = {a.shortcut().toString() for a in window.actions_.all}
    assert {"Ctrl+O", "Ctrl+E", "Ctrl+R", "Ctrl+K", "Ctrl+G"} <= shortcuts
    used = [a.shortcut().toString() for a in window.actions_.all if not a.shortcut().isEmpty()]
    assert len(used) == len(set(used))


def test_light_and_dark(window: MainWindow) -> None:
    window.actions_.light.trigger()
    assert theme.colours is LIGHT
    assert window.grab().toImage().pixelColor(600, 10) == LIGHT["panel"]
    window.actions_.dark.trigger()
    assert theme.colours is DARK
    assert window.grab().toImage().pixelColor(600, 10) == DARK["panel"]


def _luminance(colours: Colours, role: str) -> float:
    parts = [colours[role].redF(), colours[role].greenF(), colours[role].blueF()]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("role", ["text", "label", "hint", "work", "free", "accent", "watch", "error"])
def test_contrast(colours: Colours, role: str) -> None:
    pair = sorted((_luminance(colours, role), _luminance(colours, "panel")))
    assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5


# small parts


def test_findings_of_a_start_that_nobody_looked_at_hold_no_numbers(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    assert not window.findings.rows.rows


def test_subscripts_and_elision(qapp: QApplication, qtbot: QtBot) -> None:
    runs = parse("R_{free} *{0.287} of a{b}c")
    assert [(r.text, r.subscript, r.strong) for r in runs] == [
        ("R", False, False),
        ("free", True, False),
        (" ", False, False),
        ("0.287", False, True),
        (" of a{b}c", False, False),
    ]
    assert plain_text(space_group_markup("P 21 21 21")) == "P\u200921\u200921\u200921"
    assert space_group_markup("P 21 21 21").count("_{1}") == 3
    assert "_{" not in space_group_markup("C 2")
    assert plain_text(space_group_markup("I 2 3")).startswith("I")
    label = Label("a rather long file name.pdb")
    qtbot.addWidget(label)
    label.resize(60, 18)
    label.show()
    assert label.toolTip() == "a rather long file name.pdb"
    label.resize(400, 18)
    label.resize(401, 18)
    assert label.toolTip() == ""


def test_log_slider_by_mouse_and_keys(qapp: QApplication, qtbot: QtBot) -> None:
    slider = LogSlider("Data", 0.1, 100.0)
    qtbot.addWidget(slider)
    slider.resize(272, 44)
    slider.show()
    got: list[float] = []
    slider.moved.connect(got.append)
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(6 + 260 * 2 / 3), 10))
    assert got[-1] == pytest.approx(10.0, rel=0.03)
    slider.set_number(1.0)
    assert len(got) == 1
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert got[-1] == pytest.approx(10**0.05, rel=1e-3)
    QTest.keyClick(slider, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert got[-1] == pytest.approx(10**0.06, rel=1e-3)
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert got[-1] == 0.1
    with qtbot.waitSignal(slider.automatic_wanted, timeout=1000):
        QTest.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(6, 10))


def test_number_field_puts_nonsense_back(qapp: QApplication, qtbot: QtBot) -> None:
    field = NumberField("n", 0.1, 100)
    qtbot.addWidget(field)
    field.set_number(6.674)
    assert field.text() == "6.67"
    got: list[float] = []
    field.entered.connect(got.append)
    for typed, expected in (("abc", None), ("-5", 0.1), ("1e9", 100.0), ("nan", None)):
        field.selectAll()
        QTest.keyClicks(field, typed)
        QTest.keyClick(field, Qt.Key.Key_Return)
        if expected is not None:
            assert got[-1] == expected
    assert len(got) == 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [(6.674, "6.67"), (60.04, "60.0"), (1.5, "1.50"), (0.0153, "0.0153"), (150.2, "150"), (9.999, "10.0")],
)
def test_three_figures(value: float, shown: str) -> None:
    assert three_figures(value) in (shown, shown + "0")


def test_nice_ticks_enclose_and_are_round() -> None:
    for low, high, most in ((0.24, 0.32, 6), (0.2483, 0.2969, 6), (0, 20, 6), (0, 3.52, 5), (0.2849, 0.2851, 5)):
        ticks = nice_ticks(low, high, most)
        assert ticks[0] <= low + 1e-9 and ticks[-1] >= high - 1e-9
        assert len(ticks) <= most
        steps = np.diff(ticks)
        assert np.allclose(steps, steps[0])


def test_numbers_of_the_header() -> None:
    assert error_of_r_free(0.287, 873) == pytest.approx(0.00845, abs=5e-6)
    assert change_text(0.2870, 0.2868, False) == "\u25be 0.0002 this cycle"
    assert change_text(0.2868, 0.2871, True) == "\u25b4 0.0003"
    assert change_text(0.2868, 0.28682, False) == "steady this cycle"
    assert change_text(None, 0.3, False) == ""


def test_weight_range_is_three_decades_around_the_automatic_weight() -> None:
    assert weight_range(6.67) == pytest.approx((0.1, 100.0))
    assert weight_range(0.5) == pytest.approx((0.01, 10.0))
    for weight in (0.02, 1.0, 3.0, 47.0, 800.0):
        low, high = weight_range(weight)
        assert low * 8 < weight < high / 8
        assert high / low == pytest.approx(1000)


def test_marks_of_one_cycle_share_a_place() -> None:
    marks = (Mark(3, "weight 6.7 \u2192 1.5"), Mark(5, "bonds 1 \u2192 2"), Mark(5, "angles 1 \u2192 2"))
    assert plot_marks(marks) == [(3.5, "weight 6.7 \u2192 1.5"), (5.5, "2 changes")]
    assert sizes_for(1680) is WIDE and sizes_for(1440) is MEDIUM and sizes_for(1280) is COMPACT


def test_files_that_are_refused_leave_what_is_open(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    before = window.session.state
    # The source of this test has no files; the real one refuses them.
    monkeypatch.setattr(window.session, "_source", engine_run)
    model, broken = write_files(tmp_path)
    broken.write_bytes(b"MTZ nothing else")
    window.open_pair(str(model), str(broken))
    qtbot.waitUntil(lambda: window.session.state.failure is not None, timeout=60000)
    state = window.session.state
    assert state.status == "finished"
    assert state.kept is before.kept and state.prepared is before.prepared
    assert state.statistics == before.statistics and state.log[: len(before.log)] == before.log
    assert window.chosen_data == "/files/peptide.mtz"
    assert window.files.data_title.label.text() == "peptide.mtz"
    assert window.files.other_error.isVisible() and not window.files.data_error.isVisible()
    assert window.files.other_error.title.text() == "peptide.mtz was not opened"
    assert window.actions_.export.isEnabled() and window.actions_.refine.isEnabled()


@pytest.mark.parametrize("title", ["Waiting", "Data look twinned"])
def test_the_header_is_whole_at_every_width(window: MainWindow, qtbot: QtBot, title: str) -> None:
    opened(window, qtbot)
    for width in (1680, 960, 1000, 1100, 1239, 1240, 1280, 1399, 1400, 1680):
        whole_header(window, width, title)


def whole_header(window: MainWindow, width: int, title: str) -> None:
    window.resize(width, 600)
    window.layout().activate()
    QApplication.processEvents()
    header = window.header
    place = header.verdict
    assert place._verdict is not None
    place._verdict = dataclasses.replace(place._verdict, title=title)
    header.grab()
    parts = [header.layout().itemAt(k).widget() for k in range(header.layout().count())]
    shown = sorted((part.geometry() for part in parts if part is not None and not part.isHidden()), key=lambda g: g.x())
    assert shown[0].left() >= 0 and shown[-1].right() < header.width() == width
    assert all(one.right() < other.left() for one, other in pairwise(shown))
    assert all(button.width() >= button.sizeHint().width() for button in header.buttons if not button.isHidden())
    assert header.search.width() >= 88
    for readout in (header.work, header.free):
        assert readout.width() >= readout.sizeHint().width()
    gap = advance("gap 0.000", theme.font(13, 600))
    assert place._chip.right() + 12 + gap <= place.width() - PADDING, "the chip and the gap beside it"
    # What a narrow window leaves out can be reached; a wide one has all of it, and is aligned with the column below.
    hidden = [button.text() for button in header.buttons if button.isHidden() and button is not header.panel_button]
    assert set(hidden) <= {"Fetch", "Undo", "Redo"}
    in_menus = [action for menu in window.findChildren(QMenu) for action in menu.actions()]
    assert {window.actions_.fetch, window.actions_.undo, window.actions_.redo} <= set(in_menus)
    if width >= 1280:
        assert not hidden
        assert place.width() == window.columns.sizes()[2]
