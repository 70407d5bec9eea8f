"""The dialog with everything that data leave open, on real files: asked, answered, opened, remembered, shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.fake_run import fake_run
from workbench.core.control import RunControl
from workbench.core.errors import InputError, WorkbenchError
from workbench.core.events import RunEvent
from workbench.core.settings import DataOptions, RunRequest
from workbench.gui.app import make_window
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.data_chooser import DataChooser
from workbench.gui.panels.quality_dialog import QualityDialog
from workbench.session.data_choice import DataChoice
from workbench.session.inspection_process import survey_in_child
from workbench.session.session import log_text


def reading_run(request: RunRequest, control: RunControl) -> Iterator[RunEvent]:
    """A scripted run that reads the data as the real one does, so that real questions come up."""
    from workbench.engine.cross_validation.test_set import with_test_set
    from workbench.io.reflections import read_reflections
    from workbench.session.run import failed

    try:
        found = read_reflections(
            request.data_path,
            request.labels,
            request.free_label,
            request.free_value,
            options=request.intake,
        )
        with_test_set(found, request.intake)
    except WorkbenchError as error:
        yield failed(error)
        return
    yield from fake_run(request, control)


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr("workbench.gui.view_area.make_viewport", lambda parent: (None, "No OpenGL in this test."))
    made = make_window(source=reading_run, keep_preferences=False)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def peptide(examples: Path) -> tuple[gemmi.Mtz, Any, Any, Any]:
    mtz = gemmi.read_mtz_file(str(examples / "pep_5e5z" / "pep_5e5z.mtz"))
    f, sigma = (np.array(mtz.column_with_label(name)) for name in ("FP", "SIGFP"))
    return mtz, mtz.make_miller_array(), f, sigma


def written(path: Path, like: gemmi.Mtz, sets: list[tuple[str, list[tuple[str, str]]]], data: Any) -> str:
    out = gemmi.Mtz(with_base=True)
    out.spacegroup = like.spacegroup
    out.set_cell_for_all(like.cell)
    for name, columns in sets:
        dataset = out.add_dataset(name)
        dataset.cell = like.cell
        for label, kind in columns:
            out.add_column(label, kind, dataset_id=dataset.id)
    out.set_data(np.ascontiguousarray(data, dtype=np.float32))
    out.write_to_file(str(path))
    return str(path)


@pytest.fixture
def two_sets(examples: Path, tmp_path: Path) -> str:
    mtz, hkl, f, sigma = peptide(examples)
    sets = [("NATIVE", [("FN", "F"), ("SIGFN", "Q")]), ("SOAK", [("FS", "F"), ("SIGFS", "Q")])]
    return written(tmp_path / "two.mtz", mtz, sets, np.column_stack([hkl, f, sigma, 2 * f, sigma]))


@pytest.fixture
def unmerged(examples: Path, tmp_path: Path) -> str:
    mtz, hkl, f, sigma = peptide(examples)
    rng = np.random.default_rng(1)
    rows = [
        np.column_stack([hkl, f**2 * rng.normal(1, 0.02, len(f)), 2 * f * sigma, np.full(len(f), batch)])
        for batch in (1, 2, 3)
    ]
    columns = [("I", "J"), ("SIGI", "Q"), ("BATCH", "B")]
    return written(tmp_path / "unmerged.mtz", mtz, [("x", columns)], np.concatenate(rows))


@pytest.fixture
def no_flags(examples: Path, tmp_path: Path) -> str:
    mtz, hkl, f, sigma = peptide(examples)
    columns = [("FP", "F"), ("SIGFP", "Q")]
    return written(tmp_path / "plain.mtz", mtz, [("x", columns)], np.column_stack([hkl, f, sigma]))


@pytest.fixture
def flags(examples: Path, tmp_path: Path) -> str:
    mtz, hkl, *_ = peptide(examples)
    number = np.arange(len(hkl)) % 10
    return written(tmp_path / "flags.mtz", mtz, [("x", [("FREE", "I")])], np.column_stack([hkl, number]))


def settled(dialog: DataChooser, qtbot: QtBot) -> None:
    """The data were looked at with everything that is chosen now."""
    qtbot.waitUntil(
        lambda: bool(dialog.found) and not dialog._later.isActive() and not dialog.told.text().startswith("Looking"),
        timeout=120000,
    )


def asked(window: MainWindow, qtbot: QtBot, data: str, model: str = "/files/peptide.pdb") -> DataChooser:
    """The dialog that comes by itself with a question."""
    window.open_pair(model, data)
    qtbot.waitUntil(lambda: window.session.state.status == "failed", timeout=120000)
    qtbot.waitUntil(lambda: window.findChild(DataChooser) is not None, timeout=120000)
    dialog = window.findChild(DataChooser)
    assert dialog is not None and dialog.isVisible() and not dialog.isModal()
    settled(dialog, qtbot)
    return dialog


def used(window: MainWindow, qtbot: QtBot, dialog: DataChooser) -> RunRequest:
    """Press Open; the request that was made of it, once the files are read."""
    settled(dialog, qtbot)
    assert dialog.use.isEnabled(), dialog.told.text()
    qtbot.mouseClick(dialog.use, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()
    qtbot.waitUntil(lambda: window.session.state.status in ("ready", "failed"), timeout=120000)
    assert window.session.state.status == "ready", window.session.state.failure
    request = window.session.state.request
    assert request is not None
    return request


def test_which_data_set(window: MainWindow, qtbot: QtBot, two_sets: str) -> None:
    dialog = asked(window, qtbot, two_sets)
    card = window.files.data_error
    # a narrow screen folds the panel away
    panel = window.files
    assert card.isVisibleTo(panel) and card.choose.isVisibleTo(panel) and "--" not in card.remedy.text()
    assert "Which one" in dialog.told.text() and "--" not in dialog.told.text() and not dialog.use.isEnabled()
    assert [dialog.columns.topLevelItem(i).text(2) for i in range(3)] == ["", "NATIVE", "SOAK"]
    dialog.columns.setCurrentItem(dialog.columns.topLevelItem(2))
    settled(dialog, qtbot)
    assert dialog.told.text().startswith("Will be read: FS, SIGFS")
    assert dialog.command.text() == "workbench refine MODEL DATA --labels FS,SIGFS"
    request = used(window, qtbot, dialog)
    assert request.labels == ("FS", "SIGFS")
    assert window.files.choices.isVisibleTo(window.files) and "columns FS, SIGFS" in window.files.choices.value.text()
    assert not card.isVisibleTo(panel)
    said = "\n".join(log_text(window.session.state))
    assert f"workbench refine /files/peptide.pdb {two_sets} --labels FS,SIGFS" in said
    # what was decided holds when another model is opened against the same data, and is shown in the dialog
    window.open_pair("/files/other.pdb", two_sets)
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=120000)
    assert window.session.state.request is not None and window.session.state.request.labels == ("FS", "SIGFS")
    window.files.columns_change.click()
    settled(dialog, qtbot)
    assert dialog.isVisible() and dialog.columns.selectedItems()[0].text(2) == "SOAK"


def test_unmerged_observations_and_their_space_group(window: MainWindow, qtbot: QtBot, unmerged: str) -> None:
    dialog = asked(window, qtbot, unmerged)
    assert dialog.merge.isVisible() and "scaled" in dialog.told.text()
    assert dialog.merge.hasFocus() or not dialog.isActiveWindow()
    dialog.merge.setChecked(True)
    settled(dialog, qtbot)
    dialog.group.setCurrentIndex(dialog.group.findData("P 1 2 1"))
    dialog.group.activated.emit(dialog.group.currentIndex())
    settled(dialog, qtbot)
    request = used(window, qtbot, dialog)
    assert request.intake == DataOptions(merge=True, space_group="P 1 2 1")
    assert "space group P 1 2 1 \u00b7 merged here" in window.files.choices.value.text()


def test_a_test_set_from_another_file(window: MainWindow, qtbot: QtBot, no_flags: str, flags: str) -> None:
    window.open_pair("/files/peptide.pdb", no_flags)
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=120000)
    window.actions_.choices.trigger()
    dialog = window.findChild(DataChooser)
    assert dialog is not None
    settled(dialog, qtbot)
    assert dialog.test_set.finding.text() == "The file has no flags."
    dialog.test_set.take_file(flags)
    settled(dialog, qtbot)
    assert dialog.test_set.other.isChecked() and dialog.test_set.other_column.findData("FREE") == 1
    assert "test set FREE: 4" in dialog.told.text() and "from flags.mtz" in dialog.told.text()
    request = used(window, qtbot, dialog)
    assert request.intake.free_file == flags and "test set from flags.mtz" in window.files.choices.value.text()


def test_a_new_test_set(window: MainWindow, qtbot: QtBot, no_flags: str) -> None:
    window.open_pair("/files/peptide.pdb", no_flags)
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=120000)
    window.actions_.choices.trigger()
    dialog = window.findChild(DataChooser)
    assert dialog is not None
    settled(dialog, qtbot)
    page = dialog.test_set
    assert page.share.value() == pytest.approx(10.0), "few reflections: the advice is a large share"
    page.make.setChecked(True)
    page.share.setValue(20.0)
    page.shells.setChecked(True)
    page.seed.setValue(7)
    assert page.count.value() == round(0.2 * dialog.found["n"])
    settled(dialog, qtbot)
    assert "thin shells, seed 7" in dialog.told.text()
    page.count.setValue(100)
    assert page.share.value() == pytest.approx(100 * 100 / dialog.found["n"], abs=0.01)
    request = used(window, qtbot, dialog)
    n = dialog.found["n"]
    assert request.free_label is None
    assert request.intake == DataOptions(create_free=round(100 / n, 6), free_seed=7, thin_shells=True)
    assert "in thin shells, seed 7" in window.files.choices.value.text()


def test_giving_up_flags_is_warned_of(window: MainWindow, qtbot: QtBot, examples: Path) -> None:
    data = str(examples / "lyso_c2" / "lyso_c2.mtz.gz")
    window.open_pair("/files/peptide.pdb", data)
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=120000)
    window.actions_.choices.trigger()
    dialog = window.findChild(DataChooser)
    assert dialog is not None
    settled(dialog, qtbot)
    page = dialog.test_set
    assert not page.warning.isVisible() and page.value.count() == 21
    page.value.setCurrentIndex(page.value.findData(3))
    page.value.activated.emit(page.value.currentIndex())
    settled(dialog, qtbot)
    assert "flag 3 chosen by the user" in dialog.told.text()
    assert dialog.command.text().endswith("--free-value=3")
    page.make.setChecked(True)
    settled(dialog, qtbot)
    assert page.warning.isVisible() and "given up" in page.warning.text()
    assert dialog.choice().free_label == "none" and dialog.choice().options.create_free is not None
    page.without.setChecked(True)
    settled(dialog, qtbot)
    assert dialog.choice() == DataChoice(free_label="none") and "no test set" in dialog.told.text()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    request = window.session.state.request
    assert request is not None and not DataChoice.of(request), "nothing is changed by a look"


def test_choices_before_a_model_is_open(window: MainWindow, qtbot: QtBot, two_sets: str) -> None:
    """Made in either dialog, they hold once the model comes, and are shown until then."""
    window.chosen_data = two_sets
    window.actions_.choices.trigger()
    dialog = window.findChild(DataChooser)
    assert dialog is not None and dialog.use.text() == "Remember"
    settled(dialog, qtbot)
    dialog.columns.setCurrentItem(dialog.columns.topLevelItem(1))
    settled(dialog, qtbot)
    qtbot.mouseClick(dialog.use, Qt.MouseButton.LeftButton)
    assert window.session.state.request is None and "columns FN" in window.files.choices.value.text()
    window.actions_.quality.trigger()
    quality = window.findChild(QualityDialog)
    assert quality is not None
    qtbot.waitUntil(lambda: bool(quality.found), timeout=120000)
    assert quality.found["columns"]["amplitude"] == "FN"
    quality.amplitude.setCurrentText("FS")
    quality.use.click()
    window.open_pair("/files/peptide.pdb", two_sets)
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=120000)
    request = window.session.state.request
    assert request is not None and request.labels == ("FS", "") and request.free_label == "none"
    (entry, *_) = window.preferences.recent
    assert entry.choice == DataChoice.of(request)


def test_a_question_about_other_files_leaves_the_open_ones(
    window: MainWindow, qtbot: QtBot, two_sets: str, no_flags: str
) -> None:
    window.open_pair("/files/peptide.pdb", no_flags)
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=120000)
    window.open_pair("/files/other.pdb", two_sets)
    qtbot.waitUntil(lambda: window.findChild(DataChooser) is not None, timeout=120000)
    dialog = window.findChild(DataChooser)
    assert dialog is not None
    settled(dialog, qtbot)
    assert window.session.state.prepared is not None and window.chosen_data == no_flags
    dialog.cancel.click()
    window.files.columns_change.click()
    settled(dialog, qtbot)
    assert dialog.heading.text() == "plain.mtz"
    dialog.cancel.click()
    assert window.files.other_error.choose.isVisibleTo(window.files)
    window.files.other_error.choose.click()
    settled(dialog, qtbot)
    assert dialog.heading.text() == "two.mtz"
    dialog.columns.setCurrentItem(dialog.columns.topLevelItem(1))
    request = used(window, qtbot, dialog)
    assert (request.model_path, request.data_path, request.labels) == ("/files/other.pdb", two_sets, ("FN", "SIGFN"))


def test_a_cell_that_is_none(window: MainWindow, qtbot: QtBot, no_flags: str) -> None:
    window.chosen_data = no_flags
    window.actions_.choices.trigger()
    dialog = window.findChild(DataChooser)
    assert dialog is not None
    settled(dialog, qtbot)
    dialog.cell.setText("10 20")
    dialog.cell.editingFinished.emit()
    qtbot.waitUntil(lambda: "six numbers" in dialog.told.text(), timeout=20000)
    assert not dialog.use.isEnabled()


def test_a_decision_the_data_cannot_be_read_with_is_taken_back(window: MainWindow, qtbot: QtBot, no_flags: str) -> None:
    """Where nothing could be found out with what was decided, the dialog says so, and something else can be chosen."""

    def surveyor(data: str, model: str, choice: DataChoice, wanted: Any) -> dict[str, Any]:
        if choice.options.free_file:
            raise InputError("file not found.", file=choice.options.free_file)
        return survey_in_child(data, model, choice, wanted=wanted)

    dialog = DataChooser(window, surveyor)
    before = DataChoice(labels=("FP", "SIGFP"), options=DataOptions(free_file="gone.mtz"))
    dialog.begin(no_flags, "", before)
    qtbot.waitUntil(lambda: "not found" in dialog.told.text())
    assert not dialog.found and not dialog.use.isEnabled() and dialog.choice() == before
    dialog.test_set.found.setChecked(True)
    settled(dialog, qtbot)
    assert dialog.use.isEnabled() and dialog.choice() == DataChoice(labels=("FP", "SIGFP"))


def test_what_was_advised_for_other_data_is_forgotten(
    window: MainWindow, qtbot: QtBot, no_flags: str, examples: Path
) -> None:
    dialog = DataChooser(window)
    for data in (no_flags, str(examples / "lyso_c2" / "lyso_c2.mtz.gz")):
        dialog.begin(data, "", DataChoice())
        settled(dialog, qtbot)
        assert dialog.test_set.share.value() == pytest.approx(100 * dialog.found["advised_fraction"], abs=0.01)
    # an answer that comes while a cell is typed is no error
    dialog.cell.setText("10 20")
    dialog._show_found(dialog.found)
    assert dialog.cell.text() == "10 20"
