"""Values of the vocabulary as text and arrays, and back, without pickle: a project file can run no code.

A value becomes JSON in which every array is a reference to a packed array. Dataclasses are written by name and field,
so that a field added later takes its default when an older project is read, and one taken away is left out.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core import crystal, events, settings
from workbench.core.arrays import AnyArray, Complex64Array, Float32Array
from workbench.core.errors import InputError
from workbench.core.events import CycleFinished, ScaledFactors, WorstRestraints

KNOWN: dict[str, type] = {
    cls.__name__: cls
    for module in (crystal, events, settings)
    for cls in vars(module).values()
    if isinstance(cls, type) and dataclasses.is_dataclass(cls)
}


@dataclass(frozen=True, eq=False)
class PackedArray:
    """content: the bytes after `packing` ("plain" or "shuffled": bytes of equal significance together, then zlib)."""

    digest: bytes
    dtype: str
    shape: tuple[int, ...]
    packing: str
    content: bytes


def pack_array(array: AnyArray) -> PackedArray:
    """An array of numbers, booleans or text, compressed where that pays."""
    array = np.ascontiguousarray(array)
    if array.dtype.hasobject:
        raise TypeError("arrays of objects cannot be stored")
    raw = array.tobytes()
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + raw).digest()
    width = array.dtype.itemsize
    planes = np.frombuffer(raw, dtype=np.uint8).reshape(-1, width).T if width and raw else np.empty((0, 0), np.uint8)
    squeezed = zlib.compress(planes.tobytes(), 1)
    small = len(squeezed) < 0.97 * len(raw)
    return PackedArray(
        digest, array.dtype.str, array.shape, "shuffled" if small else "plain", squeezed if small else raw
    )


def unpack_array(dtype: str, shape: tuple[int, ...], packing: str, content: bytes) -> AnyArray:
    """The array as it was, read-only."""
    kind = np.dtype(dtype)
    if packing == "shuffled":
        planes = np.frombuffer(zlib.decompress(content), dtype=np.uint8)
        content = planes.reshape(kind.itemsize, -1).T.tobytes() if kind.itemsize else b""
    return np.frombuffer(content, dtype=kind).reshape(shape)


def encode(value: object, keep: Callable[[AnyArray], int]) -> str:
    """The value as JSON text; keep(array) stores an array and returns its number."""
    return json.dumps(_tree(value, keep), separators=(",", ":"))


def decode(text: str, fetch: Callable[[int], AnyArray], only: frozenset[str] | None = None) -> Any:
    """The value of a text made by `encode`; only: of a dictionary the entries of these names, nothing else is fetched.
    Raises InputError for what this version does not know."""
    tree = json.loads(text)
    if only is not None and isinstance(tree, dict) and tree.get("@") == "dict":
        tree = {"@": "dict", "items": {key: item for key, item in tree["items"].items() if key in only}}
    return _value(tree, fetch)


def plain(value: object) -> str:
    """`encode` for values without arrays."""

    def refuse(array: AnyArray) -> int:
        raise TypeError("a value without arrays was expected")

    return encode(value, refuse)


def from_plain(text: str) -> Any:
    """The value of a text made by `plain`."""

    def refuse(number: int) -> AnyArray:
        raise InputError("the project file is damaged: an array stands where none belongs.")

    return decode(text, refuse)


def compact(cycle: CycleFinished) -> dict[str, object]:
    """What the journal stores of a cycle (its statistics stand in their own column).

    f_model of the refined atoms is kept whole; the factors of the written atoms as their difference from it in 16 bits
    (a few electrons, kept to better than 1e-4 of the largest), figures of merit and D in 16 bits, k_total to 2^-16.
    """
    refined, written = cycle.refined, cycle.written
    stored: dict[str, object] = {
        "state": cycle.state,
        "f_model": refined.f_model,
        "k_total": _trimmed(refined.k_total),
        "fom": np.round(np.clip(refined.fom, 0.0, 1.0) * 65535.0).astype(np.uint16),
        "sigma_d": np.round(np.clip(refined.sigma_d, 0.0, 1.0) * 65535.0).astype(np.uint16),
        "shells": refined.shells,
        "fit": cycle.fit,
        "worst_z": None if cycle.worst is None else cycle.worst.z.astype(np.float16),
        "worst_family": None if cycle.worst is None else cycle.worst.family.astype(np.int8),
    }
    if written is not refined:
        difference = written.f_model - refined.f_model
        parts = np.stack([difference.real, difference.imag])
        unit = float(np.max(np.abs(parts), initial=0.0)) / 32767.0 or 1.0
        stored["written_difference"] = np.round(parts / unit).astype(np.int16)
        stored["written_unit"] = unit
        stored["written_k_total"] = _trimmed(written.k_total)
        stored["written_shells"] = written.shells
    return stored


def restored(stored: dict[str, Any], statistics: events.CycleStatistics, best: bool) -> CycleFinished:
    """The cycle of `compact`. Figures of merit and D of the written atoms are those of the refined ones."""
    fom = (stored["fom"] / np.float32(65535.0)).astype(np.float32)
    sigma_d = (stored["sigma_d"] / np.float32(65535.0)).astype(np.float32)
    refined = ScaledFactors(stored["f_model"], stored["k_total"], fom, sigma_d, stored["shells"])
    written = refined
    if "written_difference" in stored:
        parts = stored["written_difference"].astype(np.float64) * stored["written_unit"]
        f_model: Complex64Array = (refined.f_model + (parts[0] + 1j * parts[1])).astype(np.complex64)
        written = ScaledFactors(f_model, stored["written_k_total"], fom, sigma_d, stored["written_shells"])
    z = stored.get("worst_z")
    worst = None if z is None else WorstRestraints(z.astype(np.float32), stored["worst_family"].astype(np.int32))
    return CycleFinished(stored["state"], refined, written, statistics, best, fit=stored.get("fit"), worst=worst)


def _trimmed(values: Float32Array) -> Float32Array:
    """float32 with the last 7 bits of the mantissa rounded away (relative error below 2^-17)."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + np.uint32(64)) & np.uint32(0xFFFFFF80)).view(np.float32)


def _tree(value: Any, keep: Callable[[AnyArray], int]) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        if KNOWN.get(name) is not type(value):
            raise TypeError(f"{name} is not part of the vocabulary")
        return {
            "@": name,
            **{f.name: _tree(getattr(value, f.name), keep) for f in dataclasses.fields(value)},
        }
    if isinstance(value, np.ndarray):
        return {"@": "array", "number": keep(value)}
    if isinstance(value, tuple):
        return {"@": "tuple", "items": [_tree(item, keep) for item in value]}
    if isinstance(value, list):
        return [_tree(item, keep) for item in value]
    if isinstance(value, dict):
        return {"@": "dict", "items": {str(key): _tree(item, keep) for key, item in value.items()}}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _value(tree: Any, fetch: Callable[[int], AnyArray]) -> Any:
    if isinstance(tree, list):
        return [_value(item, fetch) for item in tree]
    if not isinstance(tree, dict):
        return tree
    name = tree.get("@")
    if name == "array":
        return fetch(tree["number"])
    if name == "tuple":
        return tuple(_value(item, fetch) for item in tree["items"])
    if name == "dict":
        return {key: _value(item, fetch) for key, item in tree["items"].items()}
    cls = KNOWN.get(str(name))
    if cls is None:
        raise InputError(
            f"the project holds {name!r}, which this version does not know.", remedy="Install a newer version."
        )
    wanted = {f.name for f in dataclasses.fields(cls)}
    return cls(**{key: _value(item, fetch) for key, item in tree.items() if key in wanted})
