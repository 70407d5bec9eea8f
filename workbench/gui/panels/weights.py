"""Weights: data against geometry, B restraint and the families of restraints. All of them act while the run goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from workbench.core.settings import FAMILIES, LOCAL_RESTRAINTS, RefinementSettings
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets.buttons import Disclosure, Pill, TextButton
from workbench.gui.widgets.log_slider import LogSlider
from workbench.gui.widgets.number_field import NumberField, three_figures
from workbench.gui.widgets.text import Label
from workbench.session.state import SessionState

B_RESTRAINT = FAMILIES.index("b_similarity")
SHOWN = {"chirality": "chirals"}
LOCAL_NAMES = {"ncs": "NCS"}
"""Names of restraints of distances where they are not those of the settings."""
NUMBER_WIDTH = 54
"""Pixels of a number of three figures in the rows of the families."""
SEND_EVERY = 120
"""ms: while a handle is dragged, not every pixel is sent to the run."""


def weight_range(automatic: float | None) -> tuple[float, float]:
    """Three decades around the automatic weight, on decades: 0.1 to 100 for 6.67."""
    if automatic is None or not math.isfinite(automatic) or automatic <= 0:
        return 0.1, 100.0
    low = 10.0 ** (math.floor(math.log10(automatic) + 1e-9) - 1)
    return low, low * 1000


class WeightRow(QWidget):
    """Name, typed number, Auto, and the slider below."""

    def __init__(self, name: str, slider: LogSlider) -> None:
        super().__init__()
        self.slider = slider
        self.name = Label(name, weight=500)
        low, high = slider.limits()
        self.field = NumberField(f"{name}, number", low / 10, high * 10)
        self.auto = Pill("Auto")
        self.auto.setAccessibleName(f"{name}, automatic")
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(8)
        top.addWidget(self.name)
        top.addStretch(1)
        top.addWidget(self.field)
        top.addWidget(self.auto)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(slider)


class FamilyRow(QWidget):
    """One family of restraints: name, small slider, typed number."""

    def __init__(self, family: str) -> None:
        super().__init__()
        self.family = family
        shown = SHOWN.get(family, family)
        self.name = Label(shown, role="label")
        self.slider = LogSlider(f"Weight of {shown}", 0.1, 10.0, small=True)
        low, high = self.slider.limits()
        self.number = NumberField(f"Weight of {shown}, number", low / 10, high * 10)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.name)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.number)
        self.setFixedHeight(20)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.name.setFixedWidth(theme.sizes.value_x - PADDING - 16 - 8)
        self.number.setFixedSize(NUMBER_WIDTH, 18)

    def show_number(self, value: float) -> None:
        if not self.slider.isSliderDown():
            self.slider.set_number(value)
        self.number.set_number(value)


class LocalRow(QWidget):
    """One kind of restraints of distances, with a setting of its own: name, small slider, and a button that says its
    strength and offers the program's choice, none, or the usual one. `wanted(float | None)`: None automatic, 0 off."""

    wanted = Signal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setting = name
        shown = LOCAL_NAMES.get(name, name.replace("_", " "))
        self._value: float | None = None
        self.name = Label(shown, role="label")
        self.slider = LogSlider(f"Strength of {shown} restraints", 0.1, 10.0, small=True)
        self.slider.setToolTip("Double click on the handle: automatic")
        self.choice = TextButton("auto")
        self.choice.setAccessibleName(f"{shown} restraints: automatic, off or the usual strength")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.name)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.choice, 0, Qt.AlignmentFlag.AlignRight)
        self.setFixedHeight(20)
        self.slider.moved.connect(self._moved)
        self.slider.automatic_wanted.connect(lambda: self.wanted.emit(None))
        self.choice.clicked.connect(self._choose)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.name.setFixedWidth(theme.sizes.value_x - PADDING - 16 - 8)
        self.choice.setFixedWidth(NUMBER_WIDTH)

    def _moved(self, value: float) -> None:
        self.wanted.emit(value)

    def show_value(self, value: float | None) -> None:
        self._value = value
        text = "auto" if value is None else "off" if value == 0.0 else f"{value:.2f}" if value < 1 else f"{value:.1f}"
        if text != self.choice.text():
            self.choice.setText(text)
            self.choice.update()
        self.slider.set_automatic(1.0 if value is None else None)
        if not self.slider.isSliderDown():
            self.slider.set_number(value or 1.0)

    def _choose(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        offers: tuple[tuple[str, float | None], ...] = (("Automatic", None), ("Off", 0.0), ("Usual strength", 1.0))
        for words, value in offers:
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(value == self._value)
            action.triggered.connect(lambda _=False, value=value: self.wanted.emit(value))
        menu.popup(self.choice.mapToGlobal(self.choice.rect().bottomLeft()))


class WeightsPanel(QWidget):
    """Emits `weight_wanted(float | None)` and `settings_wanted(RefinementSettings)`. local: settings of restraints of
    distances within the model."""

    weight_wanted = Signal(object)
    settings_wanted = Signal(object)

    def __init__(self, local: Sequence[str] = LOCAL_RESTRAINTS) -> None:
        super().__init__()
        self._settings = RefinementSettings()
        self._automatic: float | None = None
        self._range_of: object = None
        self.data = WeightRow("Data", LogSlider("Data against geometry", 0.1, 100.0, left="geometry", right="data"))
        self.data.slider.setToolTip("Weight of the data against the geometry. Double click on the handle: automatic")
        self.b = WeightRow("B restraint", LogSlider("B restraint", 0.01, 10.0, left="free", right="smooth"))
        self.b.slider.setToolTip(
            "How alike the B factors of neighbours are kept. Automatic: as the test set asks. Double click on the"
            " handle: automatic"
        )
        self.families = Disclosure("Restraint families")
        self.family_box = QWidget()
        box = QVBoxLayout(self.family_box)
        box.setContentsMargins(0, 2, 0, 0)
        box.setSpacing(0)
        self.family_rows = [FamilyRow(family) for family in FAMILIES if family != "b_similarity"]
        for row in self.family_rows:
            box.addWidget(row)
            row.slider.moved.connect(lambda value, family=row.family: self._family(family, value))
            row.slider.automatic_wanted.connect(lambda family=row.family: self._family(family, 1.0))
            row.number.entered.connect(lambda value, family=row.family: self._family(family, value))
        self.local_rows = [LocalRow(name) for name in local]
        for local_row in self.local_rows:
            box.addWidget(local_row)
            local_row.wanted.connect(lambda value, name=local_row.setting: self._local(name, value))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(Label("Weights", size=12, weight=600, role="label"))
        layout.addSpacing(8)
        layout.addWidget(self.data)
        layout.addSpacing(6)
        layout.addWidget(self.b)
        layout.addSpacing(10)
        layout.addWidget(self.families)
        layout.addWidget(self.family_box)
        self.families.opened.connect(self.family_box.setVisible)
        self.families.setChecked(theme.sizes.families_open)
        self.family_box.setVisible(self.families.isChecked())

        self.data.slider.moved.connect(self._weight_moved)
        self.data.slider.automatic_wanted.connect(self._weight_automatic)
        self.data.field.entered.connect(self._weight_typed)
        self.data.auto.clicked.connect(self._auto_clicked)
        self.b.slider.moved.connect(self._b_weight)
        self.b.slider.automatic_wanted.connect(lambda: self._b_weight(None))
        self.b.field.entered.connect(self._b_weight)
        self.b.auto.clicked.connect(lambda: self._b_weight(None))
        self._pending_weight: float | None = None
        self._pending_b: tuple[float | None] | None = None
        """What was asked for beta (None: automatic) and not yet sent."""
        self._automatic_b: float | None = None
        self._pending_families: dict[str, float] = {}
        self._pending_local: dict[str, float | None] = {}
        self._send = QTimer(self)
        self._send.setSingleShot(True)
        self._send.setInterval(SEND_EVERY)
        self._send.timeout.connect(self._flush)

    def show_state(self, old: SessionState | None, state: SessionState) -> None:
        self._settings = state.settings
        latest = state.latest
        if latest is not None and math.isfinite(latest.statistics.automatic_weight):
            self._automatic = latest.statistics.automatic_weight
            if self._range_of is not state.prepared:
                self._range_of = state.prepared
                low, high = weight_range(self._automatic)
                self.data.slider.set_limits(low, high)
                self.data.field.set_limits(low / 10, high * 10)
            self._automatic_b = latest.statistics.b_weight
        elif state.prepared is None:
            self._automatic = self._automatic_b = None
        shown = state.settings.weight if state.settings.weight is not None else self._automatic
        if self._pending_weight is None and not self.data.slider.isSliderDown():
            self._show_weight(shown, state.settings.weight is None)
        self.data.setEnabled(shown is not None)
        if not self._pending_families and not self._pending_local:
            self._show_families(state.settings.family_weights)
        self.b.setEnabled(self._automatic_b is not None and state.settings.b_model != "fixed")
        if self._pending_b is None:
            self._show_b(state.settings.b_weight)

    def _show_weight(self, value: float | None, automatic: bool) -> None:
        number = "" if self._automatic is None else f" {three_figures(self._automatic)}"
        self.data.auto.set_text(f"Auto{number}")
        self.data.auto.setChecked(automatic)
        self.data.auto.setToolTip("The program chooses" if automatic else "Let the program choose again")
        self.data.slider.set_automatic(self._automatic)
        if value is not None:
            self.data.slider.set_number(value)
            self.data.field.set_number(value)
        else:
            self.data.field.clear_number()

    def _show_families(self, weights: tuple[float, ...]) -> None:
        for row in self.family_rows:
            row.show_number(weights[FAMILIES.index(row.family)])
        others = [w for i, w in enumerate(weights) if i != B_RESTRAINT]
        local = [self._pending_local.get(r.setting, getattr(self._settings, r.setting)) for r in self.local_rows]
        for local_row, value in zip(self.local_rows, local, strict=True):
            local_row.show_value(value)
        changed = sum(w != 1.0 for w in others) + sum(value is not None for value in local)
        self.families.set_summary("all \u00d7 1.0" if not changed else f"{changed} changed")

    def _show_b(self, beta: float | None) -> None:
        """beta: the user's, None for the automatic one."""
        own = self._settings.family_weights[B_RESTRAINT]
        known = self._automatic_b
        self.b.auto.set_text("Auto" if known is None else f"Auto {three_figures(known)}")
        self.b.auto.setChecked(beta is None and own == 1.0)
        self.b.auto.setToolTip("The test set decides" if beta is None else "Let the test set decide again")
        self.b.slider.set_automatic(known)
        shown = beta if beta is not None else known
        if shown is None:
            self.b.field.clear_number()
            return
        self.b.field.set_number(shown * own)
        if not self.b.slider.isSliderDown():
            self.b.slider.set_number(shown * own)

    # what the user does

    def _weight_moved(self, value: float) -> None:
        self._pending_weight = value
        self._show_weight(value, False)
        if not self._send.isActive():
            self._send.start()

    def _weight_typed(self, value: float) -> None:
        self._pending_weight = None
        self._show_weight(value, False)
        self.weight_wanted.emit(value)

    def _auto_clicked(self) -> None:
        if self._settings.weight is None and self._automatic is not None and self._pending_weight is None:
            # Auto is on already; a click keeps it on rather than leaving a half-way state.
            self.data.auto.setChecked(True)
            return
        self._weight_automatic()

    def _weight_automatic(self) -> None:
        self._pending_weight = None
        self._show_weight(self._automatic, True)
        self.weight_wanted.emit(None)

    def _b_weight(self, value: float | None) -> None:
        self._pending_b = (value,)
        # A multiplier of this family (an older project) gives way to the weight itself.
        self._pending_families["b_similarity"] = 1.0
        self._settings = replace(self._settings, family_weights=self._with_pending())
        self._show_b(value)
        if not self._send.isActive():
            self._send.start()

    def _local(self, name: str, value: float | None) -> None:
        self._pending_local[name] = value
        self._show_families(self._with_pending())
        if not self._send.isActive():
            self._send.start()

    def _family(self, family: str, value: float) -> None:
        self._pending_families[family] = value
        self._show_families(self._with_pending())
        if not self._send.isActive():
            self._send.start()

    def _with_pending(self) -> tuple[float, ...]:
        weights = list(self._settings.family_weights)
        for family, value in self._pending_families.items():
            weights[FAMILIES.index(family)] = value
        return tuple(weights)

    def _flush(self) -> None:
        weight, self._pending_weight = self._pending_weight, None
        if self._pending_families or self._pending_b is not None or self._pending_local:
            wanted = replace(self._settings, family_weights=self._with_pending(), **self._pending_local)  # type: ignore[arg-type]
            if self._pending_b is not None:
                wanted = replace(wanted, b_weight=self._pending_b[0])
            self._pending_families, self._pending_b, self._pending_local = {}, None, {}
            self.settings_wanted.emit(wanted)
        if weight is not None:
            self.weight_wanted.emit(weight)
