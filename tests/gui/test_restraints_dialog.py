"""Sources of restraints and links in the window: what is shown, and what a tick does."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.fake_run import fake_run, recorded_run
from tests.unit.test_monomers import component
from workbench.core.crystal import LinkReport, SourceFile
from workbench.core.events import Prepared
from workbench.gui.app import make_window
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.restraints_dialog import RestraintsDialog
from workbench.gui.theme import theme
from workbench.session import dictionary_maker

LINKS = (
    LinkReport("A 26 CYS SG - A 84 CYS SG", "disulfide", 0, 1, False, 2.05, 2.03, "record", True, "as described"),
    LinkReport("A 9 CYS SG - B 1 Q9Q C1", "covalent", 2, 3, False, 2.2, float("nan"), "distance", False, "doubtful"),
)


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr("workbench.gui.view_area.make_viewport", lambda parent: (None, "No OpenGL in this test."))
    made = make_window(source=fake_run, keep_preferences=False)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def prepared() -> Prepared:
    found = next(event for event in recorded_run() if isinstance(event, Prepared))
    sources = {"LEU": "embedded", "ALA": "/opt/ccp4/lib/data/monomers/a/ALA.cif", "NUT": "/home/u/NUT.cif",
               "Q9Q": "own geometry"}  # fmt: skip
    inputs = replace(found.inputs, component_sources=sources, dictionaries=(SourceFile("/home/u/NUT.cif", "0"),))
    weak = {"Q9Q": "not in the library: restrained to its own geometry"}
    return replace(found, inputs=inputs, links=LINKS, flagged=weak)


def rows(dialog: RestraintsDialog) -> dict[str, str]:
    tree = dialog.components
    items = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return {item.text(0): item.text(1) for item in items if item is not None}


def test_every_component_shows_its_source(window: MainWindow) -> None:
    window.files.show_prepared(prepared())
    panel = window.files
    assert panel.restraints.value.text() == "1 embedded, 1 from the monomer library, NUT by dictionary"
    assert "Q9Q" in panel.flagged.value.text()
    assert panel.flagged.isVisibleTo(panel)
    assert panel.links.value.text() == "1 disulfide, 1 not bonded"
    panel.details.click()
    dialog = panel._dialog
    assert dialog is not None
    shown = rows(dialog)
    assert shown["LEU"] == "embedded"
    assert shown["ALA"] == str(Path("monomers", "a", "ALA.cif"))
    assert shown["NUT"] == "NUT.cif"
    assert shown["Q9Q"].startswith("⚠ own geometry")
    assert dialog.maker.component.currentText() == "Q9Q"
    dialog.close()


def test_an_unknown_component_is_red_and_signed(window: MainWindow) -> None:
    """In every appearance, in panel and dialog; never by colour alone."""
    window.files.show_prepared(prepared())
    window.files.show_restraints()
    dialog = window.files._dialog
    assert dialog is not None
    before = theme.appearance
    for appearance in ("light", "dark"):
        theme.set_appearance(appearance)  # type: ignore[arg-type]
        red = theme.colours["error"]
        assert window.files.flagged.value._role == "error"
        assert window.files.flagged.value.text().startswith("⚠ Q9Q")
        items = {
            i.text(0): i for i in map(dialog.components.topLevelItem, range(dialog.components.topLevelItemCount()))
        }
        assert items["Q9Q"].foreground(1).color() == red
        assert items["Q9Q"].text(1).startswith("⚠")
        assert items["LEU"].foreground(1).color() != red
        box = dialog.links.grab().toImage()
        first = dialog.links.visualItemRect(dialog.links.topLevelItem(0))  # type: ignore[arg-type]
        top = dialog.links.viewport().y() + first.center().y()
        line = [box.pixelColor(x, top).lightness() for x in range(2, 30)]
        assert max(line) - min(line) > 60  # the empty box can be seen
    theme.set_appearance(before)
    dialog.close()


def test_a_dictionary_made_again_takes_the_place_of_the_first(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "dictionaries"
    folder.mkdir()
    paths = []
    for key in ("0" * 16, "1" * 16):
        path = folder / f"GOL-{key}.cif"
        path.write_text(component("GOL"))
        paths.append(str(path))
    window.chosen_dictionaries = ("/files/NUT.cif", paths[0])
    window._use_made(paths[1])
    qtbot.waitUntil(lambda: window.chosen_dictionaries == ("/files/NUT.cif", paths[1]), timeout=10000)


def test_a_tick_reaches_the_session_and_prepares_again(window: MainWindow, qtbot: QtBot) -> None:
    window.open_pair("/files/peptide.pdb", "/files/peptide.mtz")
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)
    window.files.show_prepared(prepared())
    window.files.show_restraints()
    dialog = window.files._dialog
    assert dialog is not None
    second, first = dialog.links.topLevelItem(0), dialog.links.topLevelItem(1)  # what waits for a decision is first
    assert first is not None
    assert second is not None
    assert first.checkState(0) == Qt.CheckState.Checked
    assert second.checkState(0) == Qt.CheckState.Unchecked
    assert (second.text(2), second.text(3)) == ("2.20", "")
    second.setCheckState(0, Qt.CheckState.Checked)
    request = window.session.state.request
    assert request is not None
    assert request.links == ((LINKS[1].label, True),)
    assert window.session.state.status in ("preparing", "ready")
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)
    window.session.set_link(LINKS[0].label, False)
    request = window.session.state.request
    assert request is not None
    assert dict(request.links) == {LINKS[1].label: True, LINKS[0].label: False}
    assert any(LINKS[0].label in line.text for line in window.session.state.log)
    dialog.close()


def test_a_dictionary_is_made_in_the_background(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path / "cache"))
    source = tmp_path / "source.cif"
    source.write_text(component("GOL"))
    program = tmp_path / "acedrg"
    program.write_text(f"#!/bin/sh\nsleep 0.5\ncp '{source}' made.cif\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    for module in (dictionary_maker, __import__("workbench.gui.widgets.dictionary_bar", fromlist=["x"])):
        monkeypatch.setattr(module, "dictionary_program", lambda: str(program))
    dialog = RestraintsDialog(window)
    base = prepared()
    unknown = replace(base.inputs, component_sources={"GOL": "own geometry"})
    dialog.show_prepared(replace(base, inputs=unknown, flagged={}))
    dialog.show()
    made: list[str] = []
    dialog.dictionary_made.connect(made.append)
    assert not dialog.maker.make.isEnabled()
    QTest.keyClicks(dialog.maker.smiles, "OCC(O)CO")
    assert dialog.maker.make.isEnabled()
    dialog.maker.make.click()
    assert dialog.maker.stop.isVisible()
    qtbot.waitUntil(lambda: bool(made), timeout=30000)
    assert Path(made[0]).read_text().startswith("# Made by acedrg")
    assert dialog.maker.save.isVisible()
    known = replace(base.inputs, component_sources={"GOL": made[0]})
    dialog.show_prepared(replace(base, inputs=known, flagged={}))
    assert rows(dialog)["GOL"] == "made by acedrg"
    assert dialog.maker.save.isVisible()
    assert dialog.maker.component.currentText() == "GOL"  # made once, it may be made again
    assert dialog.maker.make.isEnabled()
    dialog.maker.make.click()
    qtbot.waitUntil(lambda: len(made) == 2, timeout=30000)
    elsewhere = replace(base.inputs, component_sources={"LEU": "embedded"})
    dialog.show_prepared(replace(base, inputs=elsewhere, flagged={}))
    assert not dialog.maker.make.isVisible()  # another model without it
    dialog.show_prepared(replace(base, inputs=known, flagged={}))
    dialog.show_prepared(replace(base, inputs=unknown, flagged={}))
    dialog.maker.save_to(Path(made[0]), str(tmp_path / "mine.cif"))
    assert (tmp_path / "mine.cif").is_file()
    program.write_text("#!/bin/sh\nsleep 60\n")
    dialog.maker.smiles.setText("CCO")
    dialog.maker.make.click()
    dialog.maker.stop.click()
    qtbot.waitUntil(lambda: "Cancelled" in dialog.maker.message.text(), timeout=30000)
    dialog.close()


def test_the_window_does_not_load_the_readers_for_it() -> None:
    """What makes dictionaries is imported by the window; gemmi only comes in when one is made."""
    code = "import sys, workbench.gui.main_window; sys.exit('gemmi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
