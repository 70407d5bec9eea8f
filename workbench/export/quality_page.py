"""The report on a data set as one HTML file that needs nothing else: lights, sentences, and pictures drawn as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.crystal import Reflections
from workbench.engine.cross_validation.test_set_design import Design, advised_fraction
from workbench.engine.data_quality.report import QualityReport
from workbench.export.program import NAME, program_version

SIGNS = {"green": "✓", "amber": "!", "red": "✕", "grey": "–"}
WORDS = {"green": "good", "amber": "to look at", "red": "serious", "grey": "cannot be told"}
COLOURS = ("#1f6f8b", "#c0562f", "#6a8f2f", "#7a5195")
DASHES = ("", "6 3", "2 3", "8 3 2 3")

STYLE = """
:root { color-scheme: light dark; --text: #1c2430; --soft: #5a6675; --line: #d5dbe3; --back: #ffffff; --card: #f5f7fa; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6ebf2; --soft: #9fabba; --line: #3a4452; --back: #171b21; --card: #20262e; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 1000px;
  margin: 32px auto; padding: 0 20px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 28px 0 8px; }
.soft { color: var(--soft); } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; color: var(--soft); } td.n, th.n { text-align: right; }
.sign { display: inline-block; width: 20px; height: 20px; border-radius: 10px; text-align: center; line-height: 20px;
  font-weight: 700; font-size: 13px; color: #fff; }
.green { background: #2e7d4f; } .amber { background: #b26a00; } .red { background: #b3261e; }
.grey { background: #6b7684; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(430px, 1fr)); gap: 16px; }
figure { margin: 0; background: var(--card); border-radius: 8px; padding: 10px 12px; }
figcaption { font-weight: 600; font-size: 13px; } svg { width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); } tr.advised td { font-weight: 600; }
"""


@dataclass(frozen=True)
class Curve:
    """A named line of a picture; points: draw dots instead."""

    name: str
    x: FloatArray
    y: FloatArray
    points: bool = False


def quality_page(
    reflections: Reflections, report: QualityReport, designs: Sequence[Design], expected_r_free: float
) -> str:
    """The page. designs: rows of the test-set designer, for an R_free of expected_r_free."""
    cell = " ".join(f"{value:.2f}" for value in reflections.crystal.cell)
    columns = reflections.columns
    rows = "".join(
        f'<tr><td><span class="sign {item.light}" role="img" aria-label="{WORDS[item.light]}" '
        f'title="{WORDS[item.light]}">{SIGNS[item.light]}</span></td><td>{escape(item.name)}</td>'
        f'<td>{escape(item.sentence)}<br><span class="soft">{escape(item.action)}</span></td></tr>'
        for item in report.items
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in reflections.notes)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Data quality: {escape(reflections.source.path)}</title><style>{STYLE}</style></head><body>
<h1>Data quality</h1>
<p class="soft">{escape(reflections.source.path)}<br>{escape(reflections.crystal.space_group)}, cell {cell}<br>
{escape(columns.amplitude)}, {escape(columns.sigma)}: {escape(columns.amplitude_reason)}<br>
{len(reflections)} reflections, {reflections.d_max:.2f} to {reflections.d_min:.2f} Å</p>
<table>{rows}</table>
<h2>By resolution</h2><div class="plots">{"".join(_pictures(report))}</div>
<h2>Test set</h2>{_designer(reflections, designs, expected_r_free)}
{f"<h2>Notes</h2><ul>{notes}</ul>" if notes else ""}
<p class="soft">{NAME} {program_version()}</p></body></html>"""


def _pictures(report: QualityReport) -> list[str]:
    shells, plot = report.shells, report.plot
    s_sq = 1.0 / shells.d_min**2
    names = ("a*", "b*", "c*")
    pictures = [
        _picture("Completeness", [Curve("all", s_sq, shells.completeness), *(
            Curve(name, s_sq, shells.axis_completeness[:, i]) for i, name in enumerate(names))], (0.0, 1.0)),
        _picture("Mean I/sigma", [Curve("all", s_sq, shells.i_over_sigma), *(
            Curve(name, s_sq, shells.axes[:, i]) for i, name in enumerate(names))], (0.0, None)),
    ]  # fmt: skip
    curves = [Curve("data", plot.s_sq, plot.log_ratio, points=True)]
    title = "Wilson plot"
    if math.isfinite(plot.b):
        curves.append(Curve(f"B = {plot.b:.1f} Å²", plot.s_sq, plot.log_scale - plot.b * plot.s_sq / 2.0))
        title = "Wilson plot, ln(<I>/Σf²), and the line fitted beyond 4 Å"
    pictures.append(_picture(title, curves, (None, None)))
    return pictures


def _picture(title: str, curves: Sequence[Curve], limits: tuple[float | None, float | None]) -> str:
    """One picture over resolution; x is 1/d^2, its labels are d in angstrom."""
    width, height, left, right, top, bottom = 460, 240, 46, 84, 12, 30
    x = np.concatenate([curve.x for curve in curves])
    y = np.concatenate([curve.y for curve in curves])
    y = y[np.isfinite(y)]
    if len(x) < 2 or not len(y):
        return f"<figure><figcaption>{escape(title)}</figcaption><p class='soft'>Too little data.</p></figure>"
    low = float(y.min()) if limits[0] is None else limits[0]
    high = float(y.max()) if limits[1] is None else limits[1]
    high = low + 1.0 if high <= low else high
    x_low, x_high = float(x.min()), float(x.max())

    def place(a: float, b: float) -> str:
        across = left + (a - x_low) / max(x_high - x_low, 1e-12) * (width - left - right)
        return f"{across:.1f},{top + (high - b) / (high - low) * (height - top - bottom):.1f}"

    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">']
    for tick in _round_ticks(low, high):
        here = place(x_low, float(tick)).split(",")[1]
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{here}" y2="{here}" stroke="var(--line)"/>')
        parts.append(f'<text x="{left - 6}" y="{float(here) + 4:.1f}" text-anchor="end">{tick:.3g}</text>')
    for tick in np.linspace(x_low, x_high, 5):
        here = place(float(tick), low).split(",")[0]
        parts.append(f'<text x="{here}" y="{height - 10}" text-anchor="middle">{1 / math.sqrt(tick):.2f} Å</text>')
    ends: list[tuple[float, float, str, str]] = []
    for i, curve in enumerate(curves):
        good = np.isfinite(curve.y)
        if not good.any():
            continue
        spots = [place(float(a), float(b)) for a, b in zip(curve.x[good], curve.y[good], strict=True)]
        colour, dash = COLOURS[i % 4], DASHES[i % 4]
        if curve.points:
            parts += [f'<circle cx="{s.split(",")[0]}" cy="{s.split(",")[1]}" r="2.6" fill="{colour}"/>' for s in spots]
        else:
            parts.append(
                f'<polyline points="{" ".join(spots)}" fill="none" stroke="{colour}" stroke-width="1.8" '
                f'stroke-dasharray="{dash}"/>'
            )
        across, down = (float(v) for v in spots[-1].split(","))
        ends.append((down, across, colour, curve.name))
    ends.sort()
    for down, (_, across, colour, name) in zip(_apart([end[0] for end in ends], height - bottom), ends, strict=True):
        parts.append(f'<text x="{across + 7:.1f}" y="{down + 4:.1f}" style="fill:{colour}">{escape(name)}</text>')
    return f"<figure><figcaption>{escape(title)}</figcaption>{''.join(parts)}</svg></figure>"


def _apart(heights: list[float], lowest: float) -> list[float]:
    """Names at the ends of curves, from the top down: 13 apart, none below `lowest`."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + 13.0) if placed else height)
    over = max(0.0, placed[-1] - lowest) if placed else 0.0
    for i in reversed(range(len(placed))):
        limit = lowest if i == len(placed) - 1 else placed[i + 1] - 13.0
        placed[i] = min(placed[i], limit) if over else placed[i]
    return placed


def _round_ticks(low: float, high: float) -> list[float]:
    """Round numbers between low and high, three to seven of them."""
    raw = (high - low) / 5.0
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= raw)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _designer(reflections: Reflections, designs: Sequence[Design], expected_r_free: float) -> str:
    now = f"{int(reflections.free.sum())} reflections now" if reflections.has_free else "There is none now"
    advised = advised_fraction(len(reflections))
    nearest = min(designs, key=lambda row: abs(row.fraction - advised), default=None)
    rows = "".join(
        f'<tr{" class=advised" if row is nearest else ""}><td class="n">{100 * row.fraction:.0f} %</td>'
        f'<td class="n">{row.n_test}</td><td class="n">{row.n_work}</td><td class="n">{100 * row.error:.2f} %</td>'
        f'<td class="n">× {row.coordinate_cost:.3f}</td><td class="n">{_number(row.per_parameter)}</td>'
        f'<td class="n">{row.sets}</td>'
        f"<td>{escape('; '.join(t for t in ('advised' if row is nearest else '', row.remark) if t))}</td></tr>"
        for row in designs
    )
    return (
        f'<p class="soft">{now}. What a new set would give and cost, for an R_free of {expected_r_free:g}; a set in '
        'use is never redrawn.</p><table><tr><th class="n">fraction</th><th class="n">test</th><th class="n">work</th>'
        '<th class="n">error of R_free</th><th class="n">errors of coordinates</th>'
        f'<th class="n">work per parameter</th><th class="n">sets</th><th></th></tr>{rows}</table>'
    )


def _number(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "–"
