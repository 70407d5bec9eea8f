"""What the table says over all sets: each statement with its count and the names of those that fall short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.side_by_side.programs import PEERS
from tests.benchmarks.side_by_side.starts import STARTS
from tests.benchmarks.side_by_side.table import Comparison, Row

Z_LIMIT = 1.0
Z_MARGIN = 0.1
SAME_R = 0.003
TIME_RATIO = 0.25
MEMORY_MB = 350.0


@dataclass(frozen=True)
class Pair:
    """Ours and one run of the peer, both scored."""

    ours: Row
    peer: Row

    @property
    def name(self) -> str:
        return self.ours.data_set.name

    @property
    def compared(self) -> Comparison:
        assert self.peer.comparison is not None
        return self.peer.comparison

    def figure(self, key: str) -> tuple[float, float]:
        """(ours, peer's) of one key of the scores."""
        mine, theirs = self.ours.score, self.peer.score
        assert mine is not None and theirs is not None
        return float(mine[key]), float(theirs[key])

    @property
    def outliers(self) -> tuple[int, int]:
        """Ramachandran outliers (ours, peer's); equal where the validation did not work."""
        found = [row.score["ramachandran"].get("outliers", 0) for row in (self.ours, self.peer) if row.score]
        return found[0], found[1]


def summary(rows: Sequence[Row], label: str) -> list[str]:
    """Lines of text; sets that stand apart are named at the end and counted nowhere."""
    by = {(row.data_set.name, row.start, row.program): row for row in rows}
    together = list(dict.fromkeys(row.data_set.name for row in rows if not row.data_set.apart))
    lines: list[str] = []
    for start in STARTS:
        default = _pairs(by, together, start, label, lambda _: True, PEERS[:1])
        matching = _pairs(
            by, together, start, label, lambda pair: pair.ours.anisotropic == pair.peer.anisotropic, PEERS
        )
        for title, pairs in (("servalcat's default", default), ("servalcat with our B model", matching)):
            if pairs:
                lines += [f"from the {start} start, against {title} ({len(pairs)} sets):", *_judge(pairs)]
    lines += _shaken_against_given(by, together, label)
    failed = [f"{row.data_set.name} {row.start} {row.program}" for row in rows if "error" in row.result]
    if failed:
        lines.append("failed: " + ", ".join(failed))
    for row in rows:
        if row.data_set.apart and row.program == label and row.score is not None:
            lines.append(f"apart, {row.data_set.name} {row.start}: R_free {row.score['r_free']:.4f}")
    return lines


def _pairs(
    by: dict[tuple[str, str, str], Row],
    names: Sequence[str],
    start: str,
    label: str,
    wanted: Callable[[Pair], bool],
    programs: Sequence[str],
) -> list[Pair]:
    """The first wanted peer of each set that has both results."""
    found = []
    for name in names:
        ours = by.get((name, start, label))
        peers = [by[name, start, program] for program in programs if (name, start, program) in by]
        pairs = [Pair(ours, row) for row in peers if ours is not None and row.comparison is not None]
        found += [pair for pair in pairs if wanted(pair)][:1]
    return found


def _judge(pairs: Sequence[Pair]) -> list[str]:
    n = len(pairs)
    worse = [f"{p.name} ({p.compared.z:+.1f})" for p in pairs if p.compared.z > 1]
    better = [p.name for p in pairs if p.compared.z <= -2]
    gap = float(np.mean([p.figure("gap")[0] - p.figure("gap")[1] for p in pairs]))
    loose = []
    for p in pairs:
        for key, what in (("rmsz_bonds", "bonds"), ("rmsz_angles", "angles")):
            mine, theirs = p.figure(key)
            if mine > Z_LIMIT or mine > theirs + Z_MARGIN:
                loose.append(f"{p.name} {what} {mine:.3f} ({theirs:.3f})")
    outliers = [f"{p.name} {p.outliers[0]} ({p.outliers[1]})" for p in pairs if p.outliers[0] > p.outliers[1]]
    slow = [f"{p.name} {p.compared.user_ratio:.2f}" for p in pairs if p.compared.user_ratio > TIME_RATIO]
    late = []
    for p in pairs:
        reached, spent = p.compared.to_likelihood, p.peer.result["measured"]["user"]
        if reached is None or reached > TIME_RATIO * spent:
            late.append(f"{p.name} {'never' if reached is None else f'{reached / spent:.2f}'}")
    large = []
    for p in pairs:
        mine, theirs = (row.result["measured"]["memory_mb"] for row in (p.ours, p.peer))
        if mine > max(theirs, MEMORY_MB):
            large.append(f"{p.name} {mine:.0f} ({theirs:.0f})")
    difference = float(np.mean([p.compared.difference for p in pairs]))
    return [
        f"  mean dR_free {difference:+.4f} (ours - peer's, negative is better); mean difference of the gaps {gap:+.4f}",
        f"  not worse by more than one paired sigma: {n - len(worse)}/{n}" + _but(worse),
        f"  better by two paired sigma: {len(better)}/{n}" + (f" ({', '.join(better)})" if better else ""),
        f"  rmsZ above {Z_LIMIT} or above the peer's + {Z_MARGIN}, ours (peer's): {', '.join(loose) or 'none'}",
        f"  more Ramachandran outliers, ours (peer's): {', '.join(outliers) or 'none'}",
        f"  user seconds within {TIME_RATIO} of the peer's: {n - len(slow)}/{n}" + _but(slow),
        f"  peer's final free -LL within {TIME_RATIO} of its user seconds: {n - len(late)}/{n}" + _but(late),
        f"  memory above the peer's and {MEMORY_MB:.0f} MB, ours (peer's): {', '.join(large) or 'none'}",
    ]


def _but(names: Sequence[str]) -> str:
    return f"; not {', '.join(names)}" if names else ""


def _shaken_against_given(by: dict[tuple[str, str, str], Row], names: Sequence[str], label: str) -> list[str]:
    moved = {name: by[name, "shaken", label].from_given for name in names if (name, "shaken", label) in by}
    known = {name: pair for name, pair in moved.items() if pair is not None}
    if not known:
        return []
    far = [f"{name} {d:+.4f} ({d / s:+.1f} sigma)" for name, (d, s) in known.items() if abs(d) > max(SAME_R, s)]
    n = len(known)
    return [
        f"ours, R_free from the shaken start within {SAME_R} or one paired sigma of the given one: "
        f"{n - len(far)}/{n}{_but(far)}"
    ]
