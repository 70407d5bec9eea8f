"""What the data are worth: lights with sentences, pictures by resolution, the choice of columns and of a test set."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.core.arrays import FloatArray
from workbench.core.errors import WorkbenchError
from workbench.gui.bridge import in_background
from workbench.gui.panels.twinning_page import TwinningPage
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets.lines import Surface
from workbench.gui.widgets.plot import EndLabel, Plot, PointLabel, nice_ticks, tick_digits
from workbench.gui.widgets.tabs import Tabs
from workbench.gui.widgets.text import Label, Paragraph, literal
from workbench.session.data_choice import DataChoice
from workbench.session.inspection_process import InspectionCancelled, inspect_in_child

SIGNS = {"green": ("✓", "map_positive"), "amber": ("!", "watch"), "red": ("✕", "error"), "grey": ("–", "hint")}
WORDS = {"green": "good", "amber": "to look at", "red": "serious", "grey": "cannot be told"}
NO_SET = "none"
CURVES = (
    ("all", "text", "solid", 2.0),
    ("a*", "work", "dash", 1.6),
    ("b*", "free", "dot", 1.8),
    ("c*", "accent", "dashdot", 1.4),
)
Inspector = Callable[..., dict[str, Any]]


class QualityDialog(QDialog):
    """Not modal. columns_wanted(amplitude, free column or "none"); test_set_wanted(amplitude, fraction)."""

    columns_wanted = Signal(str, str)
    test_set_wanted = Signal(str, float)

    def __init__(self, parent: QWidget | None = None, inspector: Inspector = inspect_in_child) -> None:
        super().__init__(parent)
        self._inspector = inspector
        self._cancel = threading.Event()
        self._files = ("", "")
        self._choice: DataChoice | None = None
        self.found: dict[str, Any] = {}
        self.setWindowTitle("Data quality")
        self.resize(1000, 680)
        self.heading = Label("", size=13, weight=600)
        self.message = Paragraph(role="label")
        self.lights = QVBoxLayout()
        self.completeness = Plot("Completeness by resolution", right=44, x_name="d, Å", below=True)
        self.signal = Plot("Mean I over sigma by resolution", right=44, x_name="d, Å", below=True)
        self.wilson = Plot("Wilson plot", right=96, x_name="d, Å", below=True)
        self._curves = {plot: [plot.curve() for _ in CURVES] for plot in (self.completeness, self.signal, self.wilson)}
        self._dots = self.wilson.dots()
        self.twins = TwinningPage()
        self.error = Plot(
            "Error of R free against the share of the data withheld", right=70, x_name="share", below=True
        )
        self.error.setMinimumHeight(150)
        self._error = self.error.curve(), self.error.dots()
        self.amplitude = QComboBox()
        self.amplitude.setAccessibleName("Columns of the amplitudes or intensities")
        self.free = QComboBox()
        self.free.setAccessibleName("Column of the test set")
        self.amplitude_reason, self.free_reason = Paragraph(role="label"), Paragraph(role="label")
        self.use = QPushButton("Use these columns")
        self.use.clicked.connect(
            lambda: self.columns_wanted.emit(self.amplitude.currentText(), self.free.currentText())
        )
        self.designs = _table()
        self.designs.itemSelectionChanged.connect(self._follow_choice)
        self.design_words = Paragraph(role="label")
        self.make = QPushButton("Make this test set")
        self.make.clicked.connect(self._make)
        self.save = QPushButton("Save report…")
        self.save.clicked.connect(self._ask_where)
        close = QPushButton("Close")
        close.clicked.connect(self.close)
        for button in (self.use, self.make, self.save, close):
            button.setAutoDefault(False)
        self.tabs = Tabs("Pages of the report")
        self.tabs.add(self._report_page(), "Report")
        self.tabs.add(self.twins, "Twinning and Patterson")
        self.tabs.add(self._choice_page(), "Columns and test set")
        bottom = QHBoxLayout()
        bottom.setContentsMargins(PADDING, 8, PADDING, 12)
        bottom.addWidget(self.message, 1)
        bottom.addWidget(self.save)
        bottom.addWidget(close)
        top = QVBoxLayout()
        top.setContentsMargins(PADDING, 12, PADDING, 0)
        top.addWidget(self.heading)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(bottom)
        theme.changed.connect(self._draw)
        self._show_found({})

    # ---- pages

    def _report_page(self) -> QWidget:
        inside = Surface("panel")
        inside.setLayout(self.lights)
        self.lights.setContentsMargins(PADDING, 8, PADDING, 8)
        self.lights.setSpacing(10)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName("What was found, one light each")
        pictures = Surface("panel")
        column = QVBoxLayout(pictures)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(2)
        for plot, title in (
            (self.completeness, "Completeness"),
            (self.signal, "Mean I/σ, overall and along the axes"),
            (self.wilson, "Wilson plot, ln(<I>/Σf²)"),
        ):
            column.addWidget(Label(title, weight=600))
            column.addWidget(plot, 1)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.addWidget(area)
        both.addWidget(pictures)
        both.setSizes([520, 480])
        return both

    def _choice_page(self) -> QWidget:
        page = Surface("panel")
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        form.addRow("Amplitudes", self.amplitude)
        form.addRow("", self.amplitude_reason)
        form.addRow("Test set", self.free)
        form.addRow("", self.free_reason)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.use)
        under = QHBoxLayout()
        under.addWidget(self.design_words, 1)
        under.addWidget(self.make)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(PADDING, 12, PADDING, 8)
        layout.setSpacing(8)
        layout.addLayout(form)
        layout.addLayout(row)
        heading = QLabel("What a test set of each size would give and cost")
        heading.setBuddy(self.designs)
        layout.addWidget(heading)
        layout.addWidget(self.designs, 2)
        layout.addLayout(under)
        layout.addWidget(Label("Error of R_{free} (%) against the share withheld", weight=600))
        layout.addWidget(self.error, 1)
        return page

    # ---- asking

    def begin(self, data: str, model: str, choice: DataChoice | None = None) -> None:
        """Show the dialog and judge these files in the background, with what was decided about the data; model may be
        empty."""
        self._cancel.set()
        self._cancel = cancel = threading.Event()
        self._files, self._choice = (data, model), choice
        self._show_found({})
        self.heading.set_text(literal(Path(data).name), data)
        self.message.set_text("Looking at the data…")
        self.show()
        self.raise_()

        def work() -> object:
            return self._inspector(data, model, choice, wanted=lambda: not cancel.is_set())

        def done(result: object, error: Exception | None) -> None:
            if not cancel.is_set():
                self._answered(result, error)

        in_background(self, work, done)

    def _answered(self, result: object, error: Exception | None) -> None:
        if isinstance(error, InspectionCancelled):
            return
        if isinstance(error, WorkbenchError):
            self.message.set_text(f"{error.message} {error.remedy}".strip())
        elif error is not None or not isinstance(result, dict):
            self.message.set_text(f"An error inside the program: {error}")
        else:
            self.message.set_text("")
            self._show_found(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._cancel.set()
        super().closeEvent(event)

    # ---- showing

    def _show_found(self, found: dict[str, Any]) -> None:
        self.found = found
        while (item := self.lights.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for each in found.get("items", ()):
            self.lights.addWidget(_Light(each))
        self.lights.addStretch(1)
        self.save.setEnabled(bool(found))
        self._show_choice(found)
        self._draw()

    def _show_choice(self, found: dict[str, Any]) -> None:
        columns = found.get("columns", {})
        for box, values, now in (
            (self.amplitude, columns.get("candidates", ()), columns.get("amplitude")),
            (self.free, [*found.get("free_candidates", ()), NO_SET] if found else (), columns.get("free") or NO_SET),
        ):
            box.clear()
            box.addItems(list(dict.fromkeys(values)))
            if now is not None:
                box.setCurrentText(now)
            box.setEnabled(box.count() > 1)
        self.amplitude_reason.set_text(columns.get("reason", ""))
        self.free_reason.set_text(columns.get("free_reason", ""))
        self.use.setEnabled(bool(found))
        self.designs.clear()
        advised = found.get("advised_fraction", 0.05)
        rows = found.get("test_sets", ())
        nearest = min(rows, key=lambda row: abs(row["fraction"] - advised), default=None)
        for row in rows:
            parameter = row["per_parameter"]
            words = "; ".join(part for part in ("advised" if row is nearest else "", row["remark"]) if part)
            item = QTreeWidgetItem(
                [
                    f"{100 * row['fraction']:.0f} %",
                    str(row["n_test"]),
                    str(row["n_work"]),
                    f"{100 * row['error']:.2f} %",
                    f"× {row['coordinate_cost']:.3f}",
                    f"{parameter:.1f}" if parameter is not None else "–",
                    words,
                ]
            )
            item.setData(0, Qt.ItemDataRole.UserRole, float(row["fraction"]))
            for column in range(6):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.designs.addTopLevelItem(item)
            if row is nearest:
                self.designs.setCurrentItem(item)
        for column in range(6):
            self.designs.resizeColumnToContents(column)
        self._follow_choice()

    def _follow_choice(self) -> None:
        has_set = bool(self.found.get("columns", {}).get("free"))
        chosen = self.designs.selectedItems()
        self.make.setEnabled(bool(chosen) and not has_set)
        if not self.found:
            self.design_words.set_text("")
        elif has_set:
            self.design_words.set_text(
                "The data have a test set. It is never redrawn: a second one would test nothing."
            )
        else:
            self.design_words.set_text(
                "The set is drawn at random over lattice mates, said in the log, and exported in refined.mtz: keep "
                "that file."
            )

    def _make(self) -> None:
        chosen = self.designs.selectedItems()
        if chosen:
            self.test_set_wanted.emit(self.amplitude.currentText(), float(chosen[0].data(0, Qt.ItemDataRole.UserRole)))

    def _draw(self) -> None:
        shells = self.found.get("shells")
        for plot in (self.completeness, self.signal, self.wilson):
            plot.restyle()
            plot.show_nothing("" if shells else "No data yet")
        if shells:
            s_sq = 1.0 / _numbers(shells["d_min"]) ** 2
            _show(
                self.completeness, self._curves[self.completeness], s_sq, [_numbers(shells["completeness"])], 0.0, 1.0
            )
            axes = _numbers(shells["axes"]).reshape(-1, 3)
            lines = [_numbers(shells["i_over_sigma"]), *axes.T]
            _show(self.signal, self._curves[self.signal], s_sq, lines, 0.0, None)
            self._draw_wilson()
        self._draw_error()
        self.twins.show_found(self.found)
        for plot in (self.completeness, self.signal, self.wilson):
            plot.viewport().update()

    def _draw_wilson(self) -> None:
        wilson = self.found["wilson_plot"]
        x, y = _numbers(wilson["s_sq"]), _numbers(wilson["log_ratio"])
        if len(x) < 2:
            return
        lines = []
        if wilson["b"] is not None and wilson["log_scale"] is not None:
            lines = [wilson["log_scale"] - wilson["b"] * x / 2.0]
        _show(
            self.wilson,
            self._curves[self.wilson],
            x,
            lines,
            float(y.min()),
            float(max(y.max(), *map(max, lines or [y]))),
        )
        self._dots.setData(x, y, size=6, pen=None, brush=theme.colours["work"])
        if lines:
            self.wilson.end_labels = [EndLabel(float(lines[0][-1]), f"B {wilson['b']:.1f} Å²", "text")]

    def _draw_error(self) -> None:
        """The curve of the designer, and where the present test set stands on it."""
        curve, dot = self._error
        rows = self.found.get("test_sets", ())
        self.error.restyle()
        self.error.show_nothing("" if rows else "No data yet")
        if rows:
            share = np.array([100 * row["fraction"] for row in rows])
            error = np.array([100 * row["error"] for row in rows])
            ticks = nice_ticks(0.0, float(error.max()), min(self.error.tick_room(), 5))
            self.error.y_digits = 1 if ticks[1] < 1 else 0
            self.error.x_text = lambda value: f"{value:.0f} %"
            self.error.set_ranges([0.0, 10.0, 20.0, 30.0, 40.0, 50.0], ticks)
            curve.setData(share, error, pen=self.error.pen("work"))
            fine = np.linspace(float(share[0]), float(share[-1]), 60)
            self.error.avoid = list(zip(fine.tolist(), np.interp(fine, share, error).tolist(), strict=True))
            n, free = self.found["n"], self.found["n_free"]
            if free:
                # sigma goes as one over the root of the number, so that any row gives the constant
                here = error[0] * math.sqrt(rows[0]["n_test"] / free)
                dot.setData([100 * free / n], [here], size=9, pen=None, brush=theme.colours["free"])
                self.error.point_labels = [PointLabel(100 * free / n, here, f"now {here:.2f} %")]
        self.error.viewport().update()

    # ---- the report as a file

    def _ask_where(self) -> None:
        dialog = QFileDialog(
            self, "Save the report", str(Path(self._files[0]).with_suffix(".html").name), "Page (*.html)"
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("html")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.write_report)
        dialog.open()

    def write_report(self, path: str) -> None:
        """Write the page in the background; the message says how it went."""
        data, model = self._files
        self.message.set_text("Writing the report…")

        def done(result: object, error: Exception | None) -> None:
            said = f"Not written: {error}" if error is not None else f"Wrote {path}"
            self.message.set_text(said)

        choice = self._choice
        in_background(self, lambda: self._inspector(data, model, choice, report=path), done)


class _Light(QWidget):
    """Sign, name and sentence of one item, and what the program does about it."""

    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__()
        sign, role = SIGNS[item["light"]]
        mark = Label(sign, size=15, weight=700, role=role)
        mark.setFixedWidth(22)
        mark.setAccessibleName(WORDS[item["light"]])
        mark.setToolTip(WORDS[item["light"]])
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(Label(literal(item["name"]), weight=600))
        words.addWidget(Paragraph(item["sentence"], role="text"))
        if item["action"]:
            words.addWidget(Paragraph(item["action"], size=11, role="label"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        self.setAccessibleName(f"{item['name']}, {WORDS[item['light']]}: {item['sentence']}")


def _numbers(values: Any) -> FloatArray:
    """An array; null is not a number."""
    return np.array(values, dtype=np.float64)


def _show(
    plot: Plot, curves: list[Any], x: FloatArray, lines: list[FloatArray], low: float, high: float | None
) -> None:
    """Draw the lines over 1/d^2; the marks of the axis are d in angstrom."""
    top = high if high is not None else float(np.nanmax(np.concatenate(lines)))
    ticks = nice_ticks(low, max(top, low + 1e-6), min(plot.tick_room(), 5))
    plot.y_digits = tick_digits(ticks, most=2)
    plot.x_text = lambda value: f"{1.0 / math.sqrt(value):.2f}"
    plot.set_ranges([float(v) for v in np.linspace(x[0], x[-1], 5)], ticks)
    labels = []
    for i, curve in enumerate(curves):
        if i >= len(lines):
            curve.setData([], [])
            continue
        name, role, dash, width = CURVES[i]
        good = np.isfinite(lines[i])
        curve.setData(x[good], lines[i][good], pen=plot.pen(role, dash, width))
        if good.any() and len(lines) > 1:
            labels.append(EndLabel(float(lines[i][good][-1]), name, role, role == "text"))
    plot.end_labels = labels


def _table() -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderLabels(
        ["Share", "Test", "Work", "Error of R free", "Errors of coordinates", "Work per parameter", ""]
    )
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setAllColumnsShowFocus(True)
    tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    tree.setAccessibleName("Test sets from 2 to 50 %")
    return tree
