"""What was read from the files, and an error beside the file that caused it."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QMenu, QMessageBox, QVBoxLayout, QWidget

from workbench.core.crystal import LinkReport, Model, Reflections
from workbench.core.events import CycleFinished, Failed, Prepared
from workbench.core.settings import ACCEPT_UNPLACED
from workbench.core.words import counted
from workbench.gui import icons
from workbench.gui.panels.restraints_dialog import RestraintsDialog
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets.buttons import TextButton
from workbench.gui.widgets.lines import FileTitle, Row
from workbench.gui.widgets.text import Label, Paragraph, literal
from workbench.session.chemistry import OWN_GEOMETRY, links_line, source_words, sources_line
from workbench.session.data_choice import DataChoice
from workbench.session.free_sets import flagged_sets
from workbench.session.state import SessionState


def thousands(number: int) -> str:
    """17 024, with a thin space."""
    return f"{number:,}".replace(",", "\u202f")


def space_group_markup(symbol: str) -> str:
    """'P 21 21 21' with its screw axes as subscripts; 'R 3:H' and 'P -1' as they are."""
    parts = []
    for part in symbol.split():
        if len(part) >= 2 and part[0] in "2346" and part[1].isdigit():
            parts.append(f"{part[0]}_{{{part[1]}}}{part[2:]}")
        else:
            parts.append(part.replace("-", "\u2212") if part[1:2].isdigit() else part)
    return "\u2009".join(parts) if len(parts) > 1 else symbol


def residue_summary(model: Model) -> tuple[str, str]:
    """Polymer residues in all and by chain, as markup, and the same in words for the tooltip."""
    residues = model.residues
    polymer = np.isin(residues.kind, ("protein", "nucleic"))
    chains = Counter(str(chain) for chain in residues.chain[polymer])
    total = sum(chains.values())
    listed = [f"{chain or 'blank'} {count}" for chain, count in chains.items()]
    shown = " \u00b7 ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
    return f"{thousands(total)}   {shown}" if total else "none", ", ".join(listed)


def atom_summary(model: Model) -> str:
    waters = int((model.residues.kind == "water").sum())
    text = thousands(len(model))
    return f"{text}, {thousands(waters)} water{'s' if waters != 1 else ''}" if waters else f"{text}, no waters"


def ligand_summary(model: Model) -> str:
    """Names of what is neither polymer nor water, with how many of each."""
    residues = model.residues
    other = np.isin(residues.kind, ("ligand", "ion", "sugar"))
    names = Counter(str(name) for name in residues.name[other])
    if not names:
        return "none"
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in names.items())


def free_set_summary(data: Reflections) -> tuple[str, str]:
    """Share and flag of the test set, and the reason for the choice."""
    if not data.has_free:
        return "none", data.columns.free_reason or "the file holds no test set"
    count = int(data.free.sum())
    share = 100 * count / max(len(data), 1)
    flag = "" if data.columns.free_value is None else f"  flag {data.columns.free_value}"
    return f"*{{{share:.1f} %}}{flag}", f"{thousands(count)}; {data.columns.free_reason}"


def restraint_summary(prepared: Prepared) -> tuple[str, str]:
    """Where the restraints come from: embedded, a library, a dictionary, or a component's own geometry."""
    given = tuple(file.path for file in prepared.inputs.dictionaries)
    sources = sorted(prepared.inputs.component_sources.items())
    return sources_line(prepared, own=False), "\n".join(
        f"{name}: {source_words(source, given)}" for name, source in sources
    )


def links_summary(links: tuple[LinkReport, ...]) -> tuple[str, str]:
    """How many bonds between residues of each kind, and all of them for the tooltip."""
    lines = [f"{link.label}  {link.distance:.2f} \u00c5  {'' if link.used else 'not bonded; '}" for link in links[:20]]
    if len(links) > 20:
        lines.append(f"and {len(links) - 20} more")
    return links_line(links), "\n".join(line.rstrip(" ;") for line in lines)


def sentence(message: str) -> str:
    """A message that was made to follow a file's name ("is an MTZ file."), as a sentence of its own."""
    if message.startswith("is "):
        return f"This file {message}"
    return message[:1].upper() + message[1:]


def same_file(named: str, path: str) -> bool:
    """An error names this file: by its path, or by its bare name."""
    return Path(named) == Path(path) or named == Path(path).name


class ErrorCard(QWidget):
    """What went wrong, what to do, and the details on demand.

    accepted: the user wants an unplaced model refined all the same. choose_wanted: wants to make the choice that the
    data leave open.
    """

    accepted = Signal()
    choose_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._details = ""
        self.title = Label("", weight=600, role="error")
        self.message = Paragraph(role="text")
        self.remedy = Paragraph(role="label")
        self.details = TextButton("Details")
        self.details.clicked.connect(self._show_details)
        self.accept = TextButton("Refine all the same")
        self.accept.clicked.connect(self.accepted)
        self.choose = TextButton("Choose\u2026")
        self.choose.setAccessibleName("Choose what the data leave open")
        self.choose.clicked.connect(self.choose_wanted)
        bottom = QHBoxLayout()
        bottom.addWidget(self.accept)
        bottom.addWidget(self.choose)
        bottom.addStretch(1)
        bottom.addWidget(self.details)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(30, 8, 10, 6)
        layout.setSpacing(2)
        for widget in (self.title, self.message, self.remedy):
            layout.addWidget(widget)
        layout.addLayout(bottom)
        self.setVisible(False)
        theme.changed.connect(self.update)

    def show_failure(self, failure: Failed | None, named: bool = False) -> None:
        """named: the card does not stand below its file, so that it has to name it."""
        self.setVisible(failure is not None)
        if failure is None:
            return
        self._details = "\n\n".join(
            part
            for part in (
                failure.file and f"File: {failure.file}",
                failure.item and f"Item: {failure.item}",
                failure.message,
                failure.remedy,
                failure.details,
            )
            if part
        )
        name = Path(failure.file).name
        if named and name:
            title = f"{name} was not opened"
        elif failure.item:
            title = failure.item
        else:
            title = "Cannot be used" if failure.file else "The run ended"
        self.title.set_text(literal(title))
        self.message.set_text(sentence(failure.message))
        remedy, offer, _ = failure.remedy.partition(f"; {ACCEPT_UNPLACED}")
        remedy = f"{remedy}." if offer else remedy
        self.accept.setVisible(bool(offer))
        self.choose.setVisible(bool(failure.choice))
        if failure.choice:
            # the remedy is in options of the command line (they are in the details); here it is a dialog
            remedy = "Choose\u2026 shows what there is; nothing is opened before that."
        self.remedy.set_text(remedy)
        self.remedy.setVisible(bool(remedy))
        self.setAccessibleName(f"Error: {failure.message} {remedy}")

    def _show_details(self) -> None:
        box = QMessageBox(self.window())
        box.setWindowTitle("Details")
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(self.message.text())
        box.setInformativeText(self.remedy.text())
        box.setDetailedText(self._details)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(c["error"], 1.2))
        painter.setBrush(c["field"])
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -2.75), 6, 6)
        icons.draw(painter, "error", QRectF(8, 9, 15, 15), c["error"], 2)
        painter.end()


class IndentedText(QWidget):
    """A sentence in the column of the values; it wraps."""

    def __init__(self) -> None:
        super().__init__()
        self.text = Paragraph("", size=11, role="hint")
        self._layout = QVBoxLayout(self)
        self._layout.addWidget(self.text)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self._layout.setContentsMargins(theme.sizes.value_x - PADDING, 0, 0, 2)


class ParagraphRow(QWidget):
    """A label in the first column and a value that may take several lines."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = Label(label, role="label")
        self.value = Paragraph("", role="text")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(0)
        layout.addWidget(self.label, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.value, 1)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.label.setFixedWidth(theme.sizes.value_x - PADDING)


class FilesPanel(QWidget):
    """Model, reflections and dictionaries: names, what they hold, and what is wrong with them.

    link_chosen(label, bond): the user accepts or removes a bond between residues. dictionary_made(path): one was made
    for a component that had none. unplaced_accepted: a model that fits no better than chance is to be refined.
    choices_wanted(refused): the dialog with everything that the data leave open, of the files that were refused or of
    those that are open.
    """

    link_chosen = Signal(str, bool)
    dictionary_made = Signal(str)
    unplaced_accepted = Signal()
    choices_wanted = Signal(bool)
    free_chosen = Signal(str, object)
    """Column of the test set and its value (None: found)."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: CycleFinished | None = None
        self.model_title = FileTitle("model", "No model")
        self.residues = Row("Residues")
        self.atoms = Row("Atoms")
        self.ligands = Row("Ligands")
        self.details = TextButton("Details")
        self.details.setAccessibleName("Sources of restraints, and links")
        self.details.clicked.connect(self.show_restraints)
        self.restraints = Row("Restraints", control=self.details)
        self.links = Row("Links")
        self._dialog: RestraintsDialog | None = None
        self.flagged = Row("", hint=True, role="error")
        self.model_error = ErrorCard()
        self.model_error.accepted.connect(self.unplaced_accepted)
        self.data_title = FileTitle("data", "No reflections")
        self.space_group = Row("Space group")
        self.cell = Row("Cell")
        self.angles = Row("")
        self.resolution = Row("Resolution")
        self.reflections = Row("Reflections")
        self.columns_change = TextButton("Change")
        self.columns_change.setAccessibleName("Change columns, data set, space group or test set")
        self.columns_change.clicked.connect(lambda: self.choices_wanted.emit(False))
        self.amplitudes = Row("Amplitudes", "", self.columns_change)
        self.choices = ParagraphRow("Chosen")
        self.choices.setVisible(False)
        self.free_change = TextButton("Change")
        self.free_change.setAccessibleName("Change the free set")
        self.free_change.clicked.connect(self._choose_free)
        self.free_change.setVisible(False)
        self.free_set = Row("Free set", "", self.free_change)
        self.free_reason = IndentedText()
        self.data_error = ErrorCard()
        self.data_error.choose_wanted.connect(lambda: self.choices_wanted.emit(True))
        self.dictionary_title = FileTitle("dictionary", "")
        self.dictionary_error = ErrorCard()
        self.other_error = ErrorCard()
        self.other_error.accepted.connect(self.unplaced_accepted)
        self.other_error.choose_wanted.connect(lambda: self.choices_wanted.emit(True))
        self.hint = Paragraph("", role="label")
        self.model_rows = (self.residues, self.atoms, self.ligands, self.restraints, self.links)
        self.data_rows = (
            self.space_group,
            self.cell,
            self.angles,
            self.resolution,
            self.reflections,
            self.amplitudes,
            self.free_set,
            self.free_reason,
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.model_title)
        for row in (*self.model_rows, self.flagged, self.model_error):
            layout.addWidget(row)
        layout.addSpacing(6)
        layout.addWidget(self.data_title)
        for each in (*self.data_rows, self.choices, self.data_error):
            layout.addWidget(each)
        layout.addWidget(self.dictionary_title)
        layout.addWidget(self.dictionary_error)
        layout.addWidget(self.other_error)
        layout.addWidget(self.hint)
        self._prepared: Prepared | None = None
        self.show_files("", "", ())
        self.show_prepared(None)
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.show_prepared(self._prepared)

    def show_files(self, model: str, data: str, dictionaries: tuple[str, ...]) -> None:
        """Names of the files that were chosen, before anything is read from them."""
        self.model_title.label.set_text(literal(Path(model).name) if model else "-{No model yet}", model)
        self.data_title.label.set_text(literal(Path(data).name) if data else "-{No reflections yet}", data)
        names = ", ".join(Path(path).name for path in dictionaries)
        self.dictionary_title.label.set_text(literal(names), "\n".join(dictionaries))
        self.dictionary_title.setVisible(bool(dictionaries))
        if model and not data:
            self.hint.set_text("Now open or drop the reflections (MTZ) that belong to this model.")
        elif data and not model:
            self.hint.set_text("Now open or drop the model (PDB or mmCIF) that belongs to these reflections.")
        elif dictionaries and not model:
            self.hint.set_text("Now open or drop the model and the reflections.")
        else:
            self.hint.set_text("")
        self.hint.setVisible(bool(self.hint.text()))

    def show_choice(self, choice: DataChoice) -> None:
        """What the user decided about the data, in short words."""
        words = choice.words()
        self.choices.value.set_text(" \u00b7 ".join(words))
        self.choices.setVisible(bool(words))

    def show_restraints(self) -> None:
        """The dialog with every component and every link."""
        if self._dialog is None:
            self._dialog = RestraintsDialog(self.window())
            self._dialog.link_chosen.connect(self.link_chosen)
            self._dialog.dictionary_made.connect(self.dictionary_made)
            self._dialog.show_prepared(self._prepared)
        self._dialog.show()
        self._dialog.raise_()

    def free_menu(self) -> QMenu:
        """The sets of the column in use with size and R, and the other columns."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._prepared is None:
            return menu
        columns = self._prepared.reflections.columns
        warning = menu.addAction("Another set has been refined against: R_free is then no test of this model")
        warning.setEnabled(False)
        menu.addSeparator()
        for one in flagged_sets(self._prepared, self._shown):
            r = f"   R {one.r:.3f}" if math.isfinite(one.r) else ""
            action = menu.addAction(f"{columns.free} = {one.value}   {counted(one.count, 'reflection')}{r}")
            action.setCheckable(True)
            action.setChecked(one.value == columns.free_value)
            action.triggered.connect(lambda _=False, value=one.value: self.free_chosen.emit(columns.free, value))
        others = [label for label in columns.free_candidates if label != columns.free]
        if others:
            menu.addSeparator()
        for label in others:
            action = menu.addAction(f"Column {label}")
            action.triggered.connect(lambda _=False, label=label: self.free_chosen.emit(label, None))
        menu.addSeparator()
        menu.addAction("From another file, or a new set\u2026", lambda: self.choices_wanted.emit(False))
        return menu

    def _choose_free(self) -> None:
        self.free_menu().popup(self.free_change.mapToGlobal(self.free_change.rect().bottomLeft()))

    def show_state(self, old: SessionState | None, new: SessionState) -> None:
        self._shown = new.shown
        data = None if new.prepared is None else new.prepared.reflections
        self.free_change.setVisible(data is not None)
        self.free_change.setEnabled(new.status not in ("preparing", "stopping"))
        if old is None or new.request is not old.request:
            request = new.request
            if request is not None:
                self.show_files(request.model_path, request.data_path, request.dictionaries)
                self.show_choice(DataChoice.of(request))
        if old is None or new.prepared is not old.prepared:
            self.show_prepared(new.prepared)
        if old is None or new.failure is not old.failure:
            self._show_failure(new)

    def _show_failure(self, state: SessionState) -> None:
        failure, request = state.failure, state.request
        cards = {"model": self.model_error, "data": self.data_error, "dictionary": self.dictionary_error}
        where = "other"
        if failure is not None and request is not None and failure.file:
            if same_file(failure.file, request.model_path):
                where = "model"
            elif same_file(failure.file, request.data_path):
                where = "data"
            elif any(same_file(failure.file, path) for path in request.dictionaries):
                where = "dictionary"
        for key, card in cards.items():
            card.show_failure(failure if key == where else None)
        self.other_error.show_failure(failure if where == "other" else None, named=True)

    def show_prepared(self, prepared: Prepared | None) -> None:
        self._prepared = prepared
        if self._dialog is not None:
            self._dialog.show_prepared(prepared)
        for row in (*self.model_rows, *self.data_rows):
            row.setVisible(prepared is not None)
        self.flagged.setVisible(False)
        if prepared is None:
            return
        model, data = prepared.model, prepared.reflections
        self.residues.set_value(*residue_summary(model))
        self.atoms.set_value(atom_summary(model))
        self.ligands.set_value(literal(ligand_summary(model)))
        self.restraints.set_value(*map(literal, restraint_summary(prepared)))
        self.links.set_value(*map(literal, links_summary(prepared.links)))
        self.links.setVisible(bool(prepared.links))
        weak = sorted(prepared.flagged)
        if weak:
            self.flagged.setVisible(True)
            names = literal(", ".join(weak))
            own = all(prepared.inputs.component_sources.get(name) == OWN_GEOMETRY for name in weak)
            self.flagged.set_value(
                f"\u26a0 {names}: {OWN_GEOMETRY if own else 'weak restraints'}",
                literal("\n".join(f"{name}: {why}." for name, why in sorted(prepared.flagged.items())))
                + "\nDrop a dictionary CIF to do better, or make one with workbench dictionary.",
            )
        crystal = model.crystal
        a, b, c, alpha, beta, gamma = crystal.cell
        self.space_group.set_value(space_group_markup(crystal.space_group), crystal.space_group)
        self.cell.set_value(f"{a:.2f}  {b:.2f}  {c:.2f} \u00c5")
        self.angles.set_value(f"{alpha:.2f}  {beta:.2f}  {gamma:.2f}\u00b0")
        right = all(math.isclose(angle, 90.0, abs_tol=0.005) for angle in (alpha, beta, gamma))
        self.angles.setVisible(not right or theme.sizes.name == "wide")
        self.resolution.set_value(f"{data.d_max:.2f} \u2013 {data.d_min:.2f} \u00c5")
        self.reflections.set_value(f"{thousands(len(data))}, {100 * data.completeness:.1f} % complete")
        columns = data.columns
        self.amplitudes.set_value(literal(f"{columns.amplitude}, {columns.sigma}"), literal(columns.amplitude_reason))
        share, reason = free_set_summary(data)
        self.free_set.set_value(share, literal(f"{columns.free}: {columns.free_reason}"))
        self.free_reason.text.set_text(reason)
