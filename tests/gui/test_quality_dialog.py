"""The dialog about the data: the real inspection of an example, choices of columns and test set, and troubles."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.fake_run import fake_run
from workbench.core.errors import InputError
from workbench.gui.app import make_window
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.quality_dialog import NO_SET, QualityDialog, _Light
from workbench.session.inspection_process import InspectionCancelled, inspect_in_child

SPOTS = [i / 40 for i in range(1, 40)]


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr("workbench.gui.view_area.make_viewport", lambda parent: (None, "No OpenGL in this test."))
    made = make_window(source=fake_run, keep_preferences=False)
    made.show()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def without_set(examples: Path, tmp_path: Path) -> Path:
    """The peptide's data with amplitudes and intensities and no test set."""
    mtz = gemmi.read_mtz_file(str(examples / "pep_5e5z" / "pep_5e5z.mtz"))
    f, sigma = (np.array(mtz.column_with_label(name)) for name in ("FP", "SIGFP"))
    out = gemmi.Mtz(with_base=True)
    out.spacegroup = mtz.spacegroup
    out.set_cell_for_all(mtz.cell)
    out.add_dataset("made")
    for label, kind in (("FP", "F"), ("SIGFP", "Q"), ("IMEAN", "J"), ("SIGIMEAN", "Q")):
        out.add_column(label, kind)
    out.set_data(np.column_stack([mtz.make_miller_array(), f, sigma, f**2, 2 * f * sigma]).astype(np.float32))
    path = tmp_path / "plain.mtz"
    out.write_to_file(str(path))
    return path


def asked(window: MainWindow, qtbot: QtBot) -> QualityDialog:
    window.actions_.quality.trigger()
    dialog = window.findChild(QualityDialog)
    assert dialog is not None and dialog.isVisible() and not dialog.isModal()
    qtbot.waitUntil(lambda: bool(dialog.found), timeout=120000)
    return dialog


def test_without_data_there_is_nothing_to_show(window: MainWindow) -> None:
    window.actions_.quality.trigger()
    assert window.findChild(QualityDialog) is None


def test_report_of_an_example(window: MainWindow, qtbot: QtBot, examples: Path) -> None:
    window.chosen_data = str(examples / "lyso_c2" / "lyso_c2.mtz.gz")
    window.chosen_model = str(examples / "lyso_c2" / "lyso_c2.pdb.gz")
    window.actions_.quality.trigger()
    # the work is elsewhere: the dialog is there before its answer, and says so
    there = window.findChild(QualityDialog)
    assert there is not None and there.isVisible() and not there.found and "Looking" in there.message.text()
    dialog = asked(window, qtbot)
    lights = [each for each in dialog.findChildren(_Light) if each.accessibleName()]
    assert [item["name"] for item in dialog.found["items"]][-1] == "Matthews coefficient" or len(lights) >= 13
    assert all(any(word in light.accessibleName() for word in ("good", "look", "serious", "told")) for light in lights)
    assert len(dialog.completeness.x_ticks) == 5 and dialog.wilson.end_labels
    assert dialog.amplitude.currentText() == "F" and dialog.free.currentText() == "FREER"
    assert dialog.designs.topLevelItemCount() == 9 and "advised" in dialog.designs.currentItem().text(6)
    assert not dialog.make.isEnabled() and "never redrawn" in dialog.design_words.text()
    page = dialog.twins
    assert [label.markup for label in page.l_test.end_labels] == ["untwinned", "perfect twin", "data"]
    assert "from |L| alone" in page.bars.accessibleName() and "0.5" in page.l_words.text()
    assert page.peaks.topLevelItemCount() > 3 and "no sign" in page.patterson_words.text()
    dialog.tabs.show_page(page)
    page.peaks.setCurrentItem(page.peaks.topLevelItem(0))
    frame = page.section.frame()
    shot = page.section.grab().toImage()
    colours = {shot.pixelColor(int(frame.left() + x * frame.width()), int(frame.center().y())).rgb() for x in SPOTS}
    assert len(colours) > 5, "a section has more than one shade"
    assert dialog.error.point_labels[0].markup.startswith("now")
    for appearance in ("light", "dark"):
        window.set_appearance(appearance)


def test_other_columns_and_no_set(window: MainWindow, qtbot: QtBot, without_set: Path) -> None:
    window.chosen_data, window.chosen_model = str(without_set), "/files/peptide.pdb"
    window._quality_dialog = QualityDialog(window, lambda data, model, *a, **k: inspect_in_child(data, "", *a, **k))
    window._quality_dialog.columns_wanted.connect(window._use_columns)
    window._quality_dialog.test_set_wanted.connect(window._make_test_set)
    dialog = asked(window, qtbot)
    assert [dialog.amplitude.itemText(i) for i in range(2)] == ["FP", "IMEAN"]
    assert dialog.free.currentText() == NO_SET and dialog.make.isEnabled()
    dialog.amplitude.setCurrentText("IMEAN")
    dialog.use.click()
    request = window.session.state.request
    assert request is not None and request.labels == ("IMEAN", "") and request.free_label == NO_SET
    qtbot.waitUntil(lambda: dialog.found.get("columns", {}).get("amplitude") == "IMEAN", timeout=120000)
    dialog.designs.setCurrentItem(dialog.designs.topLevelItem(4))
    dialog.make.click()
    request = window.session.state.request
    assert request is not None and request.intake.create_free == 0.10 and request.labels == ("IMEAN", "")


def test_report_is_written_in_the_background(
    window: MainWindow, qtbot: QtBot, without_set: Path, tmp_path: Path
) -> None:
    window.chosen_data = str(without_set)
    dialog = asked(window, qtbot)
    page = tmp_path / "page.html"
    dialog.write_report(str(page))
    qtbot.waitUntil(lambda: page.exists() and dialog.message.text().startswith("Wrote"), timeout=120000)
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_troubles_are_told(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mtz"
    broken.write_bytes(b"MTZ and nothing else")
    window.chosen_data = str(broken)
    window.actions_.quality.trigger()
    dialog = window.findChild(QualityDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: "truncated" in dialog.message.text(), timeout=120000)
    assert not dialog.found and not dialog.save.isEnabled() and not dialog.use.isEnabled()


def test_an_answer_that_nobody_waits_for(qapp: QApplication, qtbot: QtBot) -> None:
    seen: list[str] = []

    def slow(data: str, *rest: Any, wanted: Any, **more: Any) -> dict[str, Any]:
        while wanted():
            time.sleep(0.01)
        seen.append(data)
        raise InspectionCancelled

    dialog = QualityDialog(None, slow)
    qtbot.addWidget(dialog)
    dialog.begin("/files/one.mtz", "")
    dialog.close()
    qtbot.waitUntil(lambda: seen == ["/files/one.mtz"], timeout=10000)
    assert not dialog.found


def test_a_crash_of_the_child_is_contained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A library that ends the process with a signal is an error with a remedy here."""
    killer = tmp_path / "workbench"
    killer.mkdir()
    (killer / "__init__.py").write_text("")
    (killer / "launch.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="crashed") as found:
        inspect_in_child("/files/one.mtz")
    assert "damaged" in found.value.remedy
