"""Strategy: what is refined and how, as this version really does it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from workbench.core.settings import LikelihoodOf, RefinementSettings, RigidBody
from workbench.core.words import counted
from workbench.gui.widgets.buttons import TextButton, Toggle
from workbench.gui.widgets.lines import Row
from workbench.gui.widgets.number_field import NumberField
from workbench.gui.widgets.text import Label
from workbench.session.state import SessionState

B_MODELS = {
    "auto": "Automatic: tensors where the test set supports them",
    "isotropic": "Isotropic: one B for each atom",
    "anisotropic": "Anisotropic: a tensor for each atom",
    "main-side": "Grouped: two B for each residue, main and side chain",
    "per-residue": "Grouped: one B for each residue",
    "fixed": "Not refined: B as they are",
}
B_SHORT = {
    "main-side": ("two for each residue", "One B for the main chain, one for the side chain of every residue."),
    "per-residue": ("one for each residue", "All atoms of a residue share one B."),
    "fixed": ("not refined", "B stay as they are; only the overall scale follows the data."),
}
"""Value and tool tip of the row where B is not by atom."""
RIGID_BODY: dict[RigidBody, tuple[str, str]] = {
    "auto": ("automatic", "Automatic: when the start looks displaced"),
    "on": ("at the start", "Before the first cycle of every run"),
    "off": ("off", "Never"),
}
LIKELIHOODS: dict[LikelihoodOf, str] = {
    "amplitudes": "Amplitudes",
    "intensities": "Intensities as they were measured, negative ones included",
}
"""Words of the menu."""
RIGID_GROUPS = {
    "model": ("whole model", "The whole model as one body"),
    "chains": ("by chain", "Every chain as a body"),
}
"""Value of the row, and words of the menu."""


class RefinementPanel(QWidget):
    """Rows of the strategy. A switch stands only where it acts: hydrogens before the run begins."""

    settings_wanted = Signal(object)
    resolution_wanted = Signal(object)
    """float in angstrom, or None for all data; between two cycles."""
    b_model_wanted = Signal(str)
    likelihood_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._settings = RefinementSettings()
        self._own_hydrogens = False
        self.hydrogen_toggle = Toggle("Hydrogens in the calculation")
        self.cycles_field = NumberField("Largest number of cycles", 1, 999, whole=True)
        self.cycles_field.setFixedWidth(48)
        self.coordinates = Row("Coordinates", "individual")
        self.b_choice = TextButton("Change")
        self.b_choice.setAccessibleName("Change how B factors are described")
        self.b_choice.setToolTip("Between two cycles: the run goes on from its newest one")
        self.b_factors = Row("B factors", "isotropic", self.b_choice)
        self.rigid_choice = TextButton("Change")
        self.rigid_choice.setAccessibleName("Change how rigid bodies are placed")
        self.rigid_bodies = Row("Rigid bodies", "automatic", self.rigid_choice)
        self.likelihood_choice = TextButton("Change")
        self.likelihood_choice.setAccessibleName("Change what is refined against")
        self.likelihood_choice.setToolTip(
            "Between two cycles: the run goes on from its newest one; R factors are those of the amplitudes in any case"
        )
        self.likelihood = Row("Target", "amplitudes", self.likelihood_choice)
        self.resolution_field = NumberField("High-resolution limit in angstrom", 0.3, 20.0)
        self.resolution_field.setFixedWidth(48)
        self.resolution_field.setToolTip(
            "Limit of the data, between two cycles; R factors before and after are then over other reflections."
            " The limit of the data or finer: all data"
        )
        self.resolution = Row("Resolution", "to", self.resolution_field)
        self.hydrogens = Row("Hydrogens", "riding, not written", self.hydrogen_toggle)
        self.solvent = Row("Bulk solvent", "mask")
        self.cycles = Row("Cycles", "at most", self.cycles_field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(Label("Strategy", size=12, weight=600, role="label"))
        layout.addSpacing(6)
        rows = (
            self.coordinates, self.rigid_bodies, self.b_factors, self.hydrogens, self.solvent, self.resolution,
            self.likelihood, self.cycles,
        )  # fmt: skip
        for row in rows:
            layout.addWidget(row)
        self.hydrogen_toggle.clicked.connect(self._hydrogens)
        self.cycles_field.entered.connect(self._cycles)
        self.resolution_field.entered.connect(self._resolution)
        self.b_choice.clicked.connect(self._choose_b)
        self.rigid_choice.clicked.connect(self._choose_rigid)
        self.likelihood_choice.clicked.connect(self._choose_likelihood)
        self._against = "amplitudes"
        self._finest = 0.0

    def show_state(self, old: SessionState | None, state: SessionState) -> None:
        self._settings = state.settings
        self.cycles_field.set_number(state.settings.cycles)
        self._show_rigid(state)
        prepared = state.prepared
        able = prepared is not None and state.status not in ("preparing", "stopping")
        self.resolution_field.setEnabled(able)
        self.b_choice.setEnabled(able)
        self.likelihood_choice.setEnabled(able)
        # A row of its own only where there is something to choose.
        self.likelihood.setVisible(prepared is not None and prepared.reflections.intensity is not None)
        if prepared is None:
            self.resolution_field.clear_number()
        else:
            d_min = prepared.reflections.d_min
            self._finest = d_min if state.settings.d_min is None else min(self._finest or d_min, d_min)
            self.resolution_field.set_number(state.settings.d_min or d_min)
        if prepared is not None:
            wanted = state.settings.likelihood
            self._against = prepared.likelihood if wanted == "auto" else wanted
            told = prepared.likelihood_words if self._against == prepared.likelihood else "From the next run on"
            self.likelihood.set_value(self._against, told)
            flags = prepared.model.anisotropic if state.shown is None else state.shown.state.anisotropic
            anisotropic, total = int(flags.sum()), len(prepared.model)
            free = " Tried by itself, judged by the test set." if state.settings.b_model == "auto" else ""
            if state.settings.b_model in B_SHORT:
                self.b_factors.set_value(*B_SHORT[state.settings.b_model])
            elif anisotropic == 0:
                self.b_factors.set_value("isotropic", "One B for every atom.")
            elif anisotropic == total:
                self.b_factors.set_value("anisotropic", f"A tensor for every atom.{free}")
            else:
                self.b_factors.set_value(
                    f"anisotropic, {total - anisotropic} isotropic",
                    f"{anisotropic} of {counted(total, 'atom')} {'has' if anisotropic == 1 else 'have'} a tensor,"
                    f" all others one B.{free}",
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

    def _resolution(self, value: float) -> None:
        self.resolution_wanted.emit(None if self._finest and value <= self._finest + 0.005 else round(value, 2))

    def _choose_b(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name, words in B_MODELS.items():
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(name == self._settings.b_model)
            action.triggered.connect(lambda _=False, name=name: self.b_model_wanted.emit(name))
        menu.popup(self.b_choice.mapToGlobal(self.b_choice.rect().bottomLeft()))

    def _choose_likelihood(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name, words in LIKELIHOODS.items():
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(name == self._against)
            if name != self._against:
                action.triggered.connect(lambda _=False, name=name: self.likelihood_wanted.emit(name))
        menu.popup(self.likelihood_choice.mapToGlobal(self.likelihood_choice.rect().bottomLeft()))

    def _show_rigid(self, state: SessionState) -> None:
        choice, groups = state.settings.rigid_body, state.settings.rigid_groups
        words, tip = RIGID_BODY[choice]
        bodies, long = RIGID_GROUPS.get(groups, ("segments", f"Bodies: {groups}"))
        if choice != "off" and groups != "model":
            words = f"{words}, {bodies}"
        self.rigid_bodies.set_value(words, f"{tip}. {long}." if choice != "off" else "")
        self.rigid_choice.setEnabled(state.status != "stopping")
        waits = state.status in ("running", "paused", "stopping")
        self.rigid_choice.setToolTip("Holds from the next run on" if waits else "")

    def _choose_rigid(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        now = self._settings

        def offer(words: str, checked: bool, wanted: RefinementSettings) -> None:
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(checked)
            action.triggered.connect(lambda: self.settings_wanted.emit(wanted))

        for name, (_, words) in RIGID_BODY.items():
            offer(words, name == now.rigid_body, replace(now, rigid_body=name))
        menu.addSeparator()
        for groups, (_, words) in RIGID_GROUPS.items():
            offer(words, groups == now.rigid_groups, replace(now, rigid_groups=groups))
        if now.rigid_groups not in RIGID_GROUPS:
            offer(f"Segments {now.rigid_groups}", True, now)
        menu.popup(self.rigid_choice.mapToGlobal(self.rigid_choice.rect().bottomLeft()))

    def _cycles(self, value: float) -> None:
        self.settings_wanted.emit(replace(self._settings, cycles=round(value)))
