"""What the user decided about a data file: one value, in words, and as the options of the command line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.core.settings import DataOptions, RunRequest


@dataclass(frozen=True)
class DataChoice:
    """labels: value and sigma; a sigma of "" is the one that belongs to the value. free_label: column, "none" for no
    test set. The rest as in `DataOptions`."""

    labels: tuple[str, str] | None = None
    free_label: str | None = None
    free_value: int | None = None
    options: DataOptions = field(default_factory=DataOptions)

    def __bool__(self) -> bool:
        return self != DataChoice()

    @classmethod
    def of(cls, request: RunRequest) -> DataChoice:
        return cls(request.labels, request.free_label, request.free_value, request.intake)

    def in_request(self, request: RunRequest) -> RunRequest:
        """The request with these decisions instead of its own."""
        return replace(
            request,
            labels=self.labels,
            free_label=self.free_label,
            free_value=self.free_value,
            intake=self.options,
        )

    def plain(self) -> dict[str, Any]:
        """As values of JSON; only what was decided."""
        values = {name: value for name, value in vars(self).items() if name != "options"}
        options = {name: value for name, value in vars(self.options).items() if value != getattr(DataOptions(), name)}
        return {**{name: value for name, value in values.items() if value is not None}, **options}

    @classmethod
    def from_plain(cls, values: object) -> DataChoice:
        """What `plain` wrote; no decisions where it is something else."""
        if not isinstance(values, dict):
            return cls()
        labels, cell = values.get("labels"), values.get("cell")
        usual = DataOptions()
        try:
            options = {
                name: type(getattr(usual, name))(values[name])
                for name in ("space_group", "dataset", "merge", "free_file", "free_reindex", "free_seed", "thin_shells",
                             "extend_free")
                if name in values
            }  # fmt: skip
            if cell is not None:
                a, b, c, alpha, beta, gamma = map(float, cell)
                options["cell"] = (a, b, c, alpha, beta, gamma)
            if values.get("create_free") is not None:
                options["create_free"] = float(values["create_free"])
            value = values.get("free_value")
            free = values.get("free_label")
            return cls(
                (str(labels[0]), str(labels[1])) if labels else None,
                str(free) if free is not None else None,
                int(value) if value is not None else None,
                DataOptions(**options),
            )
        except (TypeError, ValueError, IndexError):
            return cls()

    def words(self) -> tuple[str, ...]:
        """One short phrase for each decision."""
        o = self.options
        said = []
        if o.dataset:
            said.append(f"data set {o.dataset}")
        if self.labels is not None:
            said.append(f"columns {', '.join(part for part in self.labels if part)}")
        if o.space_group:
            said.append(f"space group {o.space_group}")
        if o.cell is not None:
            said.append("cell " + " ".join(f"{value:g}" for value in o.cell))
        if o.merge:
            said.append("merged here")
        if o.free_file:
            said.append(f"test set from {Path(o.free_file).name}")
        if o.free_reindex:
            said.append(f"its indices as {o.free_reindex}")
        if self.free_label is not None and o.create_free is None:
            said.append("no test set" if self.free_label.lower() == "none" else f"test set {self.free_label}")
        if self.free_value is not None:
            said.append(f"flag {self.free_value}")
        if o.create_free is not None:
            shells = " in thin shells" if o.thin_shells else ""
            instead = ", the old one given up" if (self.free_label or "").lower() == "none" else ""
            said.append(f"new test set {100 * o.create_free:.3g} %{shells}, seed {o.free_seed}{instead}")
        if o.extend_free:
            said.append("test set extended")
        return tuple(said)

    def option_words(self) -> list[str]:
        """The same decisions as words of a command line; every subcommand that reads data takes them."""
        o = self.options
        words: list[str] = []
        for option, value in (
            ("--data-set", o.dataset),
            ("--labels", ",".join(_plain_labels(self.labels)) if self.labels is not None else ""),
            ("--free", self.free_label or ""),
            ("--space-group", o.space_group),
            ("--free-file", o.free_file),
            ("--free-reindex", o.free_reindex),
        ):
            if value:
                words += [option, value]
        if self.free_value is not None:
            # one word: a value of its own could be taken for an option where it is negative
            words.append(f"--free-value={self.free_value}")
        if o.cell is not None:
            words += ["--cell", ",".join(f"{value:.6g}" for value in o.cell)]
        if o.create_free is not None:
            words += ["--create-free", f"{o.create_free:.6g}"]
        if o.free_seed:
            words += ["--free-seed", str(o.free_seed)]
        words += [
            option
            for option, wanted in (
                ("--merge", o.merge),
                ("--thin-shells", o.thin_shells),
                ("--extend-free", o.extend_free),
            )
            if wanted
        ]
        return words


def _plain_labels(labels: tuple[str, str]) -> list[str]:
    """Value and sigma; Friedel pairs, which are named by both mates here, are known by the first."""
    return [part.split(",")[0] for part in labels if part]
