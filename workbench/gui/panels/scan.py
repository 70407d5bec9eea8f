"""The weight scan: R_free or the free likelihood against the geometry, a point for each weight, a model behind each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets.buttons import Pill, TextButton
from workbench.gui.widgets.number_field import three_figures
from workbench.gui.widgets.plot import Plot, PointLabel, nice_ticks, tick_digits
from workbench.gui.widgets.text import Label, Paragraph, literal
from workbench.session.weight_scan import AUTOMATIC

HINT = "Refines at seven weights side by side, from the model that is kept, and says which one the test set supports."


class ScanPanel(QWidget):
    """`scan_wanted`, `cancel_wanted`; `point_chosen(key)`: journal key of the model behind a point."""

    scan_wanted = Signal()
    cancel_wanted = Signal()
    point_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.values: Mapping[str, Mapping[str, Any]] = {}
        self._order: list[str] = []
        self._x = np.zeros(0)
        self._y = np.zeros(0)
        self._chosen = ""
        self._recommended = ""
        self.quantity = "r_free"
        self.button = TextButton("Scan weights")
        self.button.clicked.connect(self._clicked)
        self.running = False
        self.readout = Label("", size=11, role="hint")
        self.pills = {"r_free": Pill("R free"), "ll_free": Pill("\u2212LL free")}
        for name, pill in self.pills.items():
            pill.setCheckable(True)
            pill.setChecked(name == self.quantity)
            pill.clicked.connect(lambda _=False, name=name: self.show_quantity(name))
        self.plot = Plot("Weight scan", right=8, x_name="rms Z of bonds", below=True)
        self.plot.set_margins(52, 12, 12, 34)
        self.error = self.plot.error_bars()
        self.path = self.plot.curve()
        self.points = self.plot.dots()
        self.plot.hovered.connect(self._hover)
        self.plot.pressed.connect(self._pressed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.reason = Paragraph(HINT, role="label")
        top = QHBoxLayout()
        top.setContentsMargins(PADDING, 4, PADDING, 0)
        top.setSpacing(6)
        for pill in self.pills.values():
            top.addWidget(pill)
        top.addStretch(1)
        top.addWidget(self.readout)
        top.addSpacing(8)
        top.addWidget(self.button)
        words = QHBoxLayout()
        words.setContentsMargins(PADDING, 0, PADDING, 6)
        words.addWidget(self.reason)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.plot, 1)
        layout.addLayout(words)
        theme.changed.connect(self._draw)
        self._draw()

    # what the user does

    def _clicked(self) -> None:
        (self.cancel_wanted if self.running else self.scan_wanted).emit()

    def show_quantity(self, name: str) -> None:
        """ "r_free" or "ll_free" upwards."""
        self.quantity = name
        for key, pill in self.pills.items():
            pill.setChecked(key == name)
        self._draw()

    def _row_at(self, at: QPointF) -> str | None:
        row = self.plot.nearest(at, self._x, self._y)
        return None if row is None else self._order[row]

    def _hover(self, at: QPointF | None) -> None:
        name = None if at is None else self._row_at(at)
        if name is None:
            self.readout.set_text("")
            return
        v = self.values[name]
        self.readout.set_text(
            f"weight {three_figures(v['statistics']['xray_weight'])}  R_{{work}} {v['r_work']:.4f}  R_{{free}} "
            f"{v['r_free']:.4f}"
        )

    def _pressed(self, at: QPointF) -> None:
        name = self._row_at(at)
        if name is not None:
            self.choose(name)

    def choose(self, name: str) -> None:
        """Show the model behind a point."""
        key = self.values[name].get("key")
        self._chosen = name
        self._draw()
        if key is not None:
            self.point_chosen.emit(int(key))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not self._order:
            super().keyPressEvent(event)
            return
        here = self._order.index(self._chosen) if self._chosen in self._order else -1 if step > 0 else len(self._order)
        self.choose(self._order[min(max(here + step, 0), len(self._order) - 1)])

    # what is known

    def set_possible(self, possible: bool, why: str) -> None:
        self.button.setEnabled(possible or self.running)
        self.button.setToolTip(why)

    def show_running(self, running: bool, said: str) -> None:
        self.running = running
        self.button.setText("Cancel" if running else "Scan weights")
        self.button.setAccessibleName(self.button.text())
        self.button.updateGeometry()
        self.button.update()
        if said:
            self.reason.set_text(said)

    def show_values(self, values: Mapping[str, Mapping[str, Any]], recommended: str, reason: str) -> None:
        """Items of `session.weight_scan`; recommended: name, "" while the scan runs."""
        self.values, self._recommended = values, recommended
        if reason:
            self.reason.set_text(reason.replace("+-", "\u00b1"))
        if not values:
            self._chosen = ""
            self.reason.set_text(HINT)
        self._draw()

    def _draw(self) -> None:
        plot = self.plot
        plot.restyle()
        known = [
            (name, v)
            for name, v in self.values.items()
            if v[self.quantity] is not None and v["statistics"]["rmsz_bonds"] is not None
        ]
        known.sort(key=lambda pair: pair[1]["statistics"]["xray_weight"])
        self._order = [name for name, _ in known]
        if not known:
            self._x = self._y = np.zeros(0)
            plot.show_nothing("No scan yet")
            return
        plot.empty_text = ""
        x = np.array([v["statistics"]["rmsz_bonds"] for _, v in known])
        y = np.array([v[self.quantity] for _, v in known])
        sigma = np.array([v["statistics"]["r_free_sigma"] or 0.0 for _, v in known])
        sigma = sigma if self.quantity == "r_free" else np.zeros(len(known))
        self._x, self._y = x, y
        room = max(0.002, 0.12 * float(np.ptp(y)))
        ticks = nice_ticks(float((y - sigma).min()) - room / 2, float((y + sigma).max()) + room, 5)
        plot.y_digits = tick_digits(ticks, 2)
        x_ticks = nice_ticks(0.0, float(x.max()) * 1.1, 6)
        plot.x_digits = tick_digits(x_ticks, most=1)
        plot.set_ranges(x_ticks, ticks)
        c = theme.colours
        self.path.setData(x, y, pen=plot.pen("free", "dash", 1.2))
        if self.quantity == "r_free":
            beam = 0.015 * (x_ticks[-1] - x_ticks[0])
            self.error.setData(x=x, y=y, height=2 * sigma, beam=beam, pen=plot.pen("track", "solid", 1.4))
        else:
            plot.no_bars(self.error)
        spots, labels = [], []
        for name, v in known:
            best, chosen = name == self._recommended, name == self._chosen
            at = (v["statistics"]["rmsz_bonds"], v[self.quantity])
            spots.append(
                {
                    "pos": at,
                    "size": 13 if best else 9,
                    "symbol": "d" if best else "o",
                    "pen": plot.pen("accent" if chosen else "free", "solid", 2.4 if chosen else 1.6),
                    "brush": pg.mkBrush(c["accent"] if best else c["panel"]),
                }
            )
            weight = three_figures(v["statistics"]["xray_weight"])
            words = f"{weight}, recommended" if best else f"{weight}, automatic" if name == AUTOMATIC else weight
            labels.append(PointLabel(*at, literal(words), best))
        self.points.setData(spots)
        plot.point_labels = labels
        plot.avoid = list(zip(x, y, strict=True))
        said = ", ".join(
            f"weight {three_figures(v['statistics']['xray_weight'])}: {v[self.quantity]:.4f}" for _, v in known
        )
        plot.setAccessibleDescription(said)
        plot.viewport().update()
