"""The report on a data set as one HTML file that needs nothing else: lights, sentences, and pictures drawn as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from workbench.core.crystal import Reflections
from workbench.core.words import counted
from workbench.engine.cross_validation.test_set_design import Design, advised_fraction, expected_error
from workbench.engine.data_quality.report import QualityReport
from workbench.engine.data_quality.twinning import L_GRID, expected_cumulative
from workbench.export.program import NAME, program_version
from workbench.export.quality_pictures import Bar, Curve, bars, patterson_section, picture

SIGNS = {"green": "✓", "amber": "!", "red": "✕", "grey": "–"}
WORDS = {"green": "good", "amber": "to look at", "red": "serious", "grey": "cannot be told"}

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
<h2>Twinning and translational symmetry</h2><div class="plots">{"".join(_crystal_pictures(report))}</div>
{_peaks(report)}
<h2>Test set</h2>{_designer(reflections, designs, expected_r_free)}
{f"<h2>Notes</h2><ul>{notes}</ul>" if notes else ""}
<p class="soft">{NAME} {program_version()}</p></body></html>"""


def _pictures(report: QualityReport) -> list[str]:
    shells, plot = report.shells, report.plot
    s_sq = 1.0 / shells.d_min**2
    names = ("a*", "b*", "c*")
    pictures = [
        picture("Completeness", [Curve("all", s_sq, shells.completeness), *(
            Curve(name, s_sq, shells.axis_completeness[:, i]) for i, name in enumerate(names))], (0.0, 1.0)),
        picture("Mean I/sigma", [Curve("all", s_sq, shells.i_over_sigma), *(
            Curve(name, s_sq, shells.axes[:, i]) for i, name in enumerate(names))], (0.0, None)),
    ]  # fmt: skip
    curves = [Curve("data", plot.s_sq, plot.log_ratio, points=True)]
    title = "Wilson plot"
    if math.isfinite(plot.b):
        curves.append(Curve(f"B = {plot.b:.1f} Å²", plot.s_sq, plot.log_scale - plot.b * plot.s_sq / 2.0))
        title = "Wilson plot, ln(<I>/Σf²), and the line fitted beyond 4 Å"
    pictures.append(picture(title, curves, (None, None)))
    return pictures


def _crystal_pictures(report: QualityReport) -> list[str]:
    test, patterson = report.l_test, report.patterson
    curves = [
        Curve("untwinned", L_GRID, expected_cumulative(False)),
        Curve("perfect twin", L_GRID, expected_cumulative(True)),
    ]
    title = "L-test: share of pairs with |L| below (too little data)"
    if len(test.cumulative):
        curves.append(Curve("data", L_GRID, test.cumulative))
        title = f"L-test: share of {test.pairs} pairs with |L| below; <|L|> = {test.mean_abs:.3f}"
    drawn = [picture(title, curves, (0.0, 1.0), "|L|", lambda value: f"{value:.2f}")]
    rows = [Bar(law.operator, law.h_fraction, f"{law.h_fraction:.2f}, R {law.r_twin:.2f}") for law in report.laws]
    if math.isfinite(test.fraction):
        rows.append(Bar("from <|L|> alone", test.fraction, f"{test.fraction:.2f}"))
    drawn.append(bars("Twin fraction by law (H-test), 0.5 is a perfect twin", rows, 0.5, "The lattice allows no law."))
    if patterson is not None:
        drawn.append(patterson_section(patterson))
    return drawn


def _peaks(report: QualityReport) -> str:
    if report.patterson is None:
        return '<p class="soft">Too little data for a Patterson function.</p>'
    rows = "".join(
        f'<tr><td class="n">{i}</td><td class="n">{100 * peak.height:.1f} %</td>'
        f'<td class="n">{" ".join(f"{value:.3f}" for value in peak.vector)}</td>'
        f'<td class="n">{peak.distance:.1f} Å</td></tr>'
        for i, peak in enumerate(report.patterson.peaks, start=1)
    )
    return (
        '<h2>Highest peaks of the Patterson function</h2><p class="soft">10 to 5 Å, beyond 15 Å from the origin; a '
        'fifth of the origin or more means translational NCS.</p><table><tr><th class="n">peak</th><th class="n">of '
        f'the origin</th><th class="n">x y z</th><th class="n">from the origin</th></tr>{rows}</table>'
    )


def _designer(reflections: Reflections, designs: Sequence[Design], expected_r_free: float) -> str:
    now = f"{counted(int(reflections.free.sum()), 'reflection')} now" if reflections.has_free else "There is none now"
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
    drawn = ""
    if len(designs) > 1:
        share = np.array([100 * row.fraction for row in designs])
        curves = [Curve("of R_free", share, np.array([100 * row.error for row in designs]))]
        if reflections.has_free:
            n = int(reflections.free.sum())
            here = np.array([100 * n / len(reflections)])
            curves.append(Curve("now", here, 100 * np.array([expected_error(n, expected_r_free)]), points=True))
        title = "Error of R_free (%) against the share of the data withheld (%)"
        drawn = picture(title, curves, (0.0, None), "share", lambda value: f"{value:.0f} %")
        drawn = f'<div class="plots">{drawn}</div>'
    return (
        f'{drawn}<p class="soft">{now}. What a new set would give and cost, for an R_free of {expected_r_free:g}; '
        'a set in use is never redrawn.</p><table><tr><th class="n">fraction</th><th class="n">test</th>'
        '<th class="n">work</th><th class="n">error of R_free</th><th class="n">errors of coordinates</th>'
        f'<th class="n">work per parameter</th><th class="n">sets</th><th></th></tr>{rows}</table>'
    )


def _number(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "–"
