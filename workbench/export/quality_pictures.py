"""Pictures of the data report as SVG: curves, bars, and a section of the Patterson function."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from workbench.core.arrays import AnyArray, FloatArray
from workbench.engine.data_quality.crystal_checks import TNCS_PEAK, PattersonPicture

COLOURS = ("#1f6f8b", "#c0562f", "#6a8f2f", "#7a5195")
DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Curve:
    """A named line of a picture; points: draw dots instead."""

    name: str
    x: FloatArray
    y: FloatArray
    points: bool = False


def d_text(value: float) -> str:
    """1/d^2 as d in angstrom."""
    return f"{1 / math.sqrt(value):.2f} Å"


def picture(
    title: str,
    curves: Sequence[Curve],
    limits: tuple[float | None, float | None],
    x_name: str = "",
    x_text: Callable[[float], str] = d_text,
) -> str:
    """One picture; x_text: what is written at a mark of the x axis (by default x is 1/d^2), x_name: at its
    end. limits: of y."""
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
        parts.append(f'<text x="{here}" y="{height - 10}" text-anchor="middle">{x_text(float(tick))}</text>')
    if x_name:
        parts.append(f'<text x="{width - 4}" y="{height - 10}" text-anchor="end">{escape(x_name)}</text>')
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


@dataclass(frozen=True)
class Bar:
    """name at the left, words at the right end of a bar of this value."""

    name: str
    value: float
    words: str


def bars(title: str, rows: Sequence[Bar], most: float, empty: str) -> str:
    """Horizontal bars from 0 to `most`; `empty` is said where there are none."""
    if not rows:
        return f"<figure><figcaption>{escape(title)}</figcaption><p class='soft'>{escape(empty)}</p></figure>"
    width, left, right, pitch = 460, 130, 110, 26
    height = pitch * len(rows) + 30
    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">']
    for tick in np.linspace(0.0, most, 6):
        x = left + tick / most * (width - left - right)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height - 24}" stroke="var(--line)"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{tick:.1f}</text>')
    for i, row in enumerate(rows):
        y = 6 + i * pitch
        length = min(max(row.value, 0.0), most) / most * (width - left - right)
        parts.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(row.name)}</text>')
        parts.append(f'<rect x="{left}" y="{y}" width="{max(length, 1):.1f}" height="18" fill="{COLOURS[0]}"/>')
        parts.append(f'<text x="{left + length + 6:.1f}" y="{y + 13}">{escape(row.words)}</text>')
    return f"<figure><figcaption>{escape(title)}</figcaption>{''.join(parts)}</svg></figure>"


def patterson_section(found: PattersonPicture) -> str:
    """The section through the highest peak, in fractions of the cell, with a ring at every peak that lies in it."""
    strongest = max(found.peaks[0].height, TNCS_PEAK)
    grey = np.clip(found.section / strongest, 0.0, 1.0)
    a, b = found.edges
    tall = float(np.clip(380 * b / a, 140, 560))
    title = f"Patterson function at z = {found.level:.3f}; black is {100 * strongest:.0f} % of the origin"
    image = base64.b64encode(grey_png(np.rint(255 * (1.0 - grey.T[::-1])).astype(np.uint8))).decode()
    parts = [
        f'<svg viewBox="0 0 460 {tall + 34:.0f}" role="img" aria-label="{escape(title)}">',
        f'<image x="40" y="4" width="380" height="{tall:.0f}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{image}"/>',
        f'<rect x="40" y="4" width="380" height="{tall:.0f}" fill="none" stroke="var(--line)"/>',
    ]
    for number, peak in enumerate(found.peaks, start=1):
        x, y, z = peak.vector
        if abs((z - found.level + 0.5) % 1.0 - 0.5) > 0.01:
            continue
        across, down = 40 + 380 * x, 4 + tall * (1.0 - y)
        parts.append(
            f'<circle cx="{across:.1f}" cy="{down:.1f}" r="9" fill="none" stroke="{COLOURS[1]}" stroke-width="2"/>'
        )
        parts.append(f'<text x="{across + 12:.1f}" y="{down - 6:.1f}" style="fill:{COLOURS[1]}">{number}</text>')
    parts += [
        f'<text x="40" y="{tall + 20:.0f}">0</text><text x="420" y="{tall + 20:.0f}" text-anchor="end">x 1</text>',
        f'<text x="34" y="{tall + 4:.0f}" text-anchor="end">0</text><text x="34" y="16" text-anchor="end">y 1</text>',
    ]
    return f"<figure><figcaption>{escape(title)}</figcaption>{''.join(parts)}</svg></figure>"


def grey_png(values: AnyArray) -> bytes:
    """(rows, columns) bytes as a PNG file (ISO/IEC 15948: signature, IHDR, one IDAT, IEND)."""
    rows, columns = values.shape

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    lines = b"".join(b"\0" + line.tobytes() for line in np.ascontiguousarray(values))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
