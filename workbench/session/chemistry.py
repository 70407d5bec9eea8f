"""Where restraints come from and which residues are bonded, in words for window and command line."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path, PurePath

from workbench.core.crystal import LinkReport
from workbench.core.events import Prepared

OWN_GEOMETRY = "own geometry"
_MADE = re.compile(r"[A-Za-z0-9]+-[0-9a-f]{16}\.cif")


def source_words(source: str, dictionaries: tuple[str, ...]) -> str:
    """'embedded', 'own geometry', 'NUT.cif' for a dictionary of the user, 'made by acedrg' for one of the cache
    (dictionary_maker.py), 'monomers/a/ALA.cif' for a library."""
    if source in (OWN_GEOMETRY, "embedded"):
        return source
    path = PurePath(source)
    if path.parent.name == "dictionaries" and _MADE.fullmatch(path.name):
        return "made by acedrg"
    if source in dictionaries or len(path.parts) < 3:
        return path.name
    return str(PurePath(*path.parts[-3:]))


def source_counts(prepared: Prepared) -> dict[str, list[str]]:
    """Component names by kind of source: "dictionary", "library", "embedded", "own geometry"; empty kinds left out."""
    given = {Path(file.path) for file in prepared.inputs.dictionaries}
    kinds: dict[str, list[str]] = {"dictionary": [], "library": [], "embedded": [], OWN_GEOMETRY: []}
    for name, source in sorted(prepared.inputs.component_sources.items()):
        if source in kinds:
            kinds[source].append(name)
        else:
            kinds["dictionary" if Path(source) in given else "library"].append(name)
    return {kind: names for kind, names in kinds.items() if names}


def sources_line(prepared: Prepared, own: bool = True) -> str:
    """'17 embedded, 3 from the monomer library, NUT by dictionary, Q9Q own geometry' (the last if `own`)."""
    counts = source_counts(prepared)
    parts = []
    if "embedded" in counts:
        parts.append(f"{len(counts['embedded'])} embedded")
    if "library" in counts:
        parts.append(f"{len(counts['library'])} from the monomer library")
    if "dictionary" in counts:
        names = counts["dictionary"]
        parts.append(f"{', '.join(names[:3])}{'…' if len(names) > 3 else ''} by dictionary")
    if own and OWN_GEOMETRY in counts:
        names = counts[OWN_GEOMETRY]
        more = f" and {len(names) - 3} more" if len(names) > 4 else ""
        parts.append(f"{', '.join(names[:3] if more else names)}{more} {OWN_GEOMETRY}")
    return ", ".join(parts) or "none"


def links_line(links: tuple[LinkReport, ...]) -> str:
    """'3 disulfide, 2 metal, 1 proposed'; 'none'."""
    used = Counter(link.kind for link in links if link.used)
    parts = [f"{count} {kind}" for kind, count in used.most_common()]
    left = sum(not link.used for link in links)
    if left:
        parts.append(f"{left} not bonded")
    return ", ".join(parts) or "none"


def link_words(link: LinkReport) -> str:
    """'recorded in the file; as the library describes it'."""
    found = {"record": "recorded in the file", "distance": "found by distance", "user": "accepted by you"}[link.found]
    return f"{found}; {link.reason}" if link.reason else found
