"""workbench fetch: model and structure factors of a PDB entry."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from workbench.cli.options import Parser
from workbench.core.errors import SettingsError


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench fetch",
        description="Fetch the model and the structure factors of a PDB entry from the sites of the wwPDB into a"
        " folder. What was fetched once is kept and not asked for again. Proxies: HTTPS_PROXY and NO_PROXY.",
    )
    made.add_argument("code", metavar="CODE", help="of the entry, for example 1ABC")
    made.add_argument("--output", metavar="DIR", default=".", help="folder of the files (default: this one)")
    made.add_argument("--only", choices=("model", "data"), help="one of the two")
    made.add_argument("--refresh", action="store_true", help="ask the sites even for what is kept")
    made.add_argument("--mirror", metavar="URL", default="", help="another copy of the archive ($WORKBENCH_PDB_MIRROR)")
    made.add_argument("--quiet", action="store_true", help="print errors only")
    return made


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    from workbench.io.fetch import PARTS, chosen_sites, entry_code, fetch

    code = entry_code(options.code)
    sites = chosen_sites(options.mirror)
    folder = Path(options.output)
    if folder.exists() and not folder.is_dir():
        raise SettingsError("is a file, not a folder.", file=options.output, remedy="Give another one with --output.")
    # everything is there before anything is written
    fetched = [
        fetch(code, part, sites=sites, refresh=options.refresh)
        for part in PARTS
        if options.only is None or part == options.only
    ]
    written = [_copy(each.path, folder) for each in fetched]
    if not options.quiet:
        for each, path in zip(fetched, written, strict=True):
            origin = "kept from an earlier time" if each.cached else f"from {each.site}"
            print(f"{path}  {path.stat().st_size} bytes, {origin}")
        if len(written) == 2:
            print(f"workbench refine {written[0]} {written[1]}")
    sys.stdout.flush()
    return 0


def _copy(source: Path, folder: Path) -> Path:
    from workbench.io.fetch import write_whole

    target = folder / source.name
    data = source.read_bytes()
    try:
        if target.exists():
            if target.read_bytes() != data:
                raise SettingsError(
                    "exists already and is another file; nothing is overwritten.",
                    file=str(target),
                    remedy="Give another folder with --output.",
                )
            return target
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(target, data)
    except OSError as error:
        raise SettingsError(
            f"cannot be written ({error.strerror}).", file=str(target), remedy="Give another folder with --output."
        ) from None
    return target
