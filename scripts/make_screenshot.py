"""Make docs/images/window.png: the real window after a real refinement of a bundled example.

    python scripts/make_screenshot.py [--example lyso_c2] [--residue "A 111"] [--theme dark] [--output FILE]

Needs a display of at least 1680 x 1050 (xvfb-run -s "-screen 0 1680x1050x24 +extension GLX" on a machine without one).
The data weight is moved once on the way, so that the picture shows how the curves answer.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree

ROOT = Path(__file__).resolve().parent.parent
SIZE = (1680, 1050)
MOVED_AT, FACTOR = 8, 3.0
"""The cycle after which the weight is moved, and the factor it is multiplied by."""


def in_few_colours(image: QImage) -> QImage:
    """The picture in 256 colours chosen for it: less than half the size of the file, and no difference to the eye."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    width, height = image.width(), image.height()
    bytes_ = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(height, image.bytesPerLine())
    pixels = bytes_[:, : 4 * width].reshape(-1, 4)[:, 2::-1].astype(float)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    # Rare colours count for more than their number: there are few pixels of text and many of background.
    chance = np.sqrt(counts) / np.sqrt(counts).sum()
    sample = colours[np.random.default_rng(0).choice(len(colours), 30000, p=chance)]
    palette, _ = kmeans2(sample, 250, minit="++", seed=0, iter=12)
    palette = np.round(np.vstack([palette, colours[np.argsort(-counts)[:6]]]))
    _, index = cKDTree(palette).query(pixels)
    few = QImage(width, height, QImage.Format.Format_Indexed8)
    few.setColorTable([0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for r, g, b in palette])
    rows = np.frombuffer(few.bits(), dtype=np.uint8).reshape(height, few.bytesPerLine())
    rows[:, :width] = index.reshape(height, width)
    return few


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--example", default="lyso_c2")
    parser.add_argument("--residue", default="A 111", help="chain and number of the residue in the centre")
    parser.add_argument("--theme", default="dark", choices=("dark", "light"))
    parser.add_argument("--output", default=str(ROOT / "docs" / "images" / "window.png"))
    options = parser.parse_args()
    os.environ["WORKBENCH_CONFIG_DIR"] = tempfile.mkdtemp(prefix="screenshot-")
    from PySide6.QtWidgets import QApplication

    from workbench.gui.app import make_application, make_window
    from workbench.io.files import example_path

    app = make_application()
    window = make_window(keep_preferences=False)
    window.set_appearance(options.theme)
    window.view.restore({"preset": "default"})
    window.show()
    window.move(0, 0)
    window.resize(*SIZE)
    session = window.session

    def until(done: Callable[[], bool], limit: float = 600.0) -> None:
        end = time.perf_counter() + limit
        while not done():
            if session.state.status == "failed" or time.perf_counter() > end:
                raise SystemExit(f"{session.state.status}: {session.state.failure}")
            QApplication.processEvents()
            app.thread().msleep(2)

    def rest(seconds: float) -> None:
        end = time.perf_counter() + seconds
        until(lambda: time.perf_counter() > end)

    model, data, dictionaries = example_path(options.example)
    window.open_pair(str(model), str(data), tuple(map(str, dictionaries)))
    until(lambda: session.state.status == "ready")
    prepared = session.state.prepared
    assert prepared is not None
    labels = [prepared.model.residues.label(row) for row in range(len(prepared.model.residues))]
    row = next(i for i, label in enumerate(labels) if label.startswith(f"{options.residue} "))
    session.refine()
    until(lambda: session.state.status == "finished" or session.state.statistics[-1].cycle >= MOVED_AT)
    if session.state.status == "running" and session.state.weight is not None:
        session.set_weight(float(f"{session.state.weight * FACTOR:.2g}"))
    until(lambda: session.state.status == "finished")
    window.view.centre_on_residue(row)
    window.residues.show_row(row)
    rest(3.0)
    picture = window.screen().grabWindow(window.winId())
    output = Path(options.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    # Quality 0 is the smallest file: PNG itself loses nothing.
    if not in_few_colours(picture.toImage()).save(str(output), "PNG", 0):
        raise SystemExit(f"cannot write {output}")
    print(f"{output}: {picture.width()} x {picture.height()}, {output.stat().st_size / 1000:.0f} kB")
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
