"""Difference peaks and restraint outliers: listed, chosen by mouse and keys, and followed when the view goes there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.fake_run import fake_run
from tests.gui.test_viewport import needs_display, tiny_model
from workbench.core.events import WorstRestraints
from workbench.engine.maps.peaks import Peak
from workbench.gui.app import make_application, make_window
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.findings import FindingsPanel, outlier_findings, peak_findings

MODEL = tiny_model([(0, 0, 0), (3, 1, 0), (6, 0, 0), (9, 1, 0)], ["C", "N", "O", "C"], residue=[0, 0, 1, 2])
PEAKS = (Peak((1.0, 0.0, 0.0), 7.25, 0.5, 0), Peak((3.0, 5.0, 0.0), 6.0, 4.0, 1), Peak((6.0, 0.5, 0.0), -5.0, 0.5, 2))
WORST = WorstRestraints(np.float32([-4.2, 6.5, 3.9, np.nan]), np.int32([0, 1, 2, -1]))


@pytest.fixture(scope="module")
def qapp() -> QApplication:
    return make_application()


def test_words() -> None:
    found = peak_findings(PEAKS, MODEL)
    assert [row.value for row in found] == ["+7.2 \u03c3", "+6.0 \u03c3", "\u22125.0 \u03c3"]
    assert [row.words for row in found] == ["0.5 \u00c5", "4.0 \u00c5, unmodelled", "0.5 \u00c5"]
    assert found[1].place.endswith(" N1") and [row.peak for row in found] == [0, 1, 2]
    # The worst atom of a residue speaks for it; 3.9 is no outlier; an atom without restraints has none.
    (outlier,) = outlier_findings(WORST, MODEL)
    assert (outlier.value, outlier.words, outlier.atom, outlier.peak) == ("+6.5 Z", "angle", 1, -1)
    assert outlier_findings(None, MODEL) == []
    assert outlier_findings(WorstRestraints(np.float32([9.0]), np.int32([0])), MODEL) == []
    assert peak_findings((Peak((0.0, 0.0, 0.0), 9.0, float("inf")),), MODEL)[0].place == ""


def test_mouse_and_keys_choose(qapp: QApplication, qtbot: QtBot) -> None:
    panel = FindingsPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 240)
    panel.show()
    panel.show_peaks(PEAKS, MODEL)
    panel.show_outliers(WORST, MODEL)
    assert panel.rows.rowCount() == 4
    peaks: list[int] = []
    atoms: list[int] = []
    panel.peak_chosen.connect(peaks.append)
    panel.atom_chosen.connect(atoms.append)
    place = panel.visualRect(panel.rows.index(1, 0)).center()
    QTest.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    QTest.keyClick(panel, Qt.Key.Key_Down)
    QTest.keyClick(panel, Qt.Key.Key_Down)
    assert peaks == [1, 2] and atoms == [1]
    # Another map: the selection stays at the same outlier, and nothing is chosen by that.
    panel.show_peaks(PEAKS[:1], MODEL)
    assert panel.currentIndex().row() == 1 and panel.rows.rowCount() == 2
    panel.select_peak(0)
    assert panel.currentIndex().row() == 0
    assert peaks == [1, 2] and atoms == [1]
    panel.show_peaks((), MODEL)
    panel.show_outliers(None, MODEL)
    assert panel.rows.rowCount() == 0


@pytest.fixture
def window(qapp: QApplication) -> Iterator[MainWindow]:
    made = make_window(source=fake_run, keep_preferences=False)
    made.resize(1400, 900)
    made.show()
    yield made
    made.close()
    made.deleteLater()


@pytest.mark.display
@needs_display
def test_list_drives_the_view_and_the_view_the_list(window: MainWindow, qtbot: QtBot) -> None:
    window.open_pair("/files/peptide.pdb", "/files/peptide.mtz")
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)
    view, findings = window.view.viewport, window.findings
    if view is None:
        pytest.skip("no OpenGL here")
    view.animated = False
    qtbot.waitUntil(lambda: bool(view.tracer.peaks), timeout=60000)
    peaks = view.tracer.peaks
    assert [row.peak for row in findings.rows.rows if row.peak >= 0] == list(range(len(peaks)))
    xyz = view.scene.xyz
    for peak in peaks:
        assert np.linalg.norm(xyz[peak.atom] - peak.xyz) == pytest.approx(peak.distance, abs=1e-6)
        assert np.linalg.norm(xyz - peak.xyz, axis=1).min() == pytest.approx(peak.distance, abs=1e-6)
    place = findings.visualRect(findings.rows.index(0, 0)).center()
    window.tabs.show_page(findings)
    QTest.mouseClick(findings.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    np.testing.assert_allclose(view.camera.centre, peaks[0].xyz, atol=1e-9)
    view.perform("next_peak")
    number = 1 % len(peaks)
    np.testing.assert_allclose(view.camera.centre, peaks[number].xyz, atol=1e-9)
    assert findings.rows.rows[findings.currentIndex().row()].peak == number
    assert window.residues.currentIndex().row() == view.residue
