"""Strategy: what is refined and how, as this version really does it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.core.settings import RefinementSettings
from workbench.gui.widgets.buttons import Toggle
from workbench.gui.widgets.lines import Row
from workbench.gui.widgets.number_field import NumberField
from workbench.gui.widgets.text import Label
from workbench.session.state import SessionState


class RefinementPanel(QWidget):
    """Rows of the strategy. A switch stands only where it acts: hydrogens before the run begins."""

    settings_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._settings = RefinementSettings()
        self._own_hydrogens = False
        self.hydrogen_toggle = Toggle("Hydrogens in the calculation")
        self.cycles_field = NumberField("Largest number of cycles", 1, 999, whole=True)
        self.cycles_field.setFixedWidth(48)
        self.coordinates = Row("Coordinates", "individual")
        self.b_factors = Row("B factors", "isotropic")
        self.hydrogens = Row("Hydrogens", "riding, not written", self.hydrogen_toggle)
        self.solvent = Row("Bulk solvent", "mask")
        self.cycles = Row("Cycles", "at most", self.cycles_field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(Label("Strategy", size=12, weight=600, role="label"))
        layout.addSpacing(6)
        for row in (self.coordinates, self.b_factors, self.hydrogens, self.solvent, self.cycles):
            layout.addWidget(row)
        self.hydrogen_toggle.clicked.connect(self._hydrogens)
        self.cycles_field.entered.connect(self._cycles)

    def show_state(self, old: SessionState | None, state: SessionState) -> None:
        self._settings = state.settings
        self.cycles_field.set_number(state.settings.cycles)
        prepared = state.prepared
        if prepared is not None:
            flags = prepared.model.anisotropic if state.shown is None else state.shown.state.anisotropic
            anisotropic, total = int(flags.sum()), len(prepared.model)
            free = " Tried by itself, judged by the test set." if state.settings.b_model == "auto" else ""
            if anisotropic == 0:
                self.b_factors.set_value("isotropic", "One B for every atom.")
            elif anisotropic == total:
                self.b_factors.set_value("anisotropic", f"A tensor for every atom.{free}")
            else:
                self.b_factors.set_value(
                    f"anisotropic, {total - anisotropic} isotropic",
                    f"{anisotropic} of {total} atoms have a tensor, all others one B.{free}",
                )
            elements = prepared.model.element
            self._own_hydrogens = bool(((elements == "H") | (elements == "D")).any())
        choice = state.settings.hydrogens
        if choice == "none":
            text, on = "left out", False
        elif choice == "all":
            text, on = "riding and written", True
        elif choice == "keep" or (choice == "auto" and self._own_hydrogens):
            text, on = "as in the file", True
        else:
            text, on = "riding, not written", True
        tip = f"{prepared.riding_hydrogens} riding hydrogens" if prepared is not None and on else ""
        self.hydrogens.set_value(text, tip)
        self.hydrogen_toggle.setChecked(on)
        fresh = state.status in ("empty", "preparing", "ready", "finished")
        self.hydrogen_toggle.setEnabled(fresh)
        self.hydrogen_toggle.setToolTip(
            "Use hydrogens in structure factors and contacts" if fresh else "Can be changed when no run is under way"
        )

    def _hydrogens(self, on: bool) -> None:
        self.settings_wanted.emit(replace(self._settings, hydrogens="auto" if on else "none"))

    def _cycles(self, value: float) -> None:
        self.settings_wanted.emit(replace(self._settings, cycles=round(value)))
