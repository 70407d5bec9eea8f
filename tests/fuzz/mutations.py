"""Ways in which files come to grief: bits, cuts, columns, numbers that are none, cells that no crystal has, headers
that promise gigabytes."""

from __future__ import annotations

import gzip
import re
import struct
from collections.abc import Callable

import numpy as np

Mutation = Callable[[bytes, np.random.Generator], bytes]

NUMBERS = (
    b"nan",
    b"NaN",
    b"inf",
    b"-inf",
    b"1e999",
    b"-1e-999",
    b"0",
    b"-0.0",
    b"1e38",
    b"99999999999",
    b"?",
    b".",
    b"*",
)
WORDS = (
    b"\0",
    b"\xff\xfe",
    b"'",
    b'"',
    b";",
    b"loop_",
    b"data_",
    b"#",
    b"\t",
    b"\r",
    b"END",
    b"TER",
    "é".encode(),
    b"",
)
CELLS = ("0 0 0 0 0 0", "1 1 1 90 90 90", "-50 60 70 90 90 90", "1e9 1e9 1e9 90 90 90", "50 60 70 1 1 179",
         "50 60 70 0 90 90", "nan nan nan 90 90 90", "50 60 70 180 180 180", "0.001 0.001 0.001 90 90 90")  # fmt: skip


def flip_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    for place in rng.integers(len(out), size=int(rng.integers(1, 12))):
        out[place] ^= 1 << int(rng.integers(8))
    return bytes(out)


def flip_header(data: bytes, rng: np.random.Generator) -> bytes:
    """In the first or last kilobytes, where formats keep what they promise."""
    out = bytearray(data)
    start = 0 if rng.random() < 0.5 else max(0, len(out) - 3000)
    for place in rng.integers(start, min(len(out), start + 3000), size=int(rng.integers(1, 8))):
        out[place] = int(rng.integers(256))
    return bytes(out)


def truncate(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(len(data)))]


def cut_out(data: bytes, rng: np.random.Generator) -> bytes:
    start, size = int(rng.integers(len(data))), int(rng.integers(1, 400))
    return data[:start] + data[start + size :]


def insert_junk(data: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(data)))
    return data[:place] + rng.bytes(int(rng.integers(1, 200))) + data[place:]


def shuffle_lines(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.split(b"\n")
    for _ in range(int(rng.integers(1, 6))):
        i, j = rng.integers(len(lines), size=2)
        how = int(rng.integers(3))
        if how == 0:
            lines[i], lines[j] = lines[j], lines[i]
        elif how == 1:
            lines.insert(int(i), lines[j])
        elif len(lines) > 1:
            del lines[i]
    return b"\n".join(lines)


def swap_columns(data: bytes, rng: np.random.Generator) -> bytes:
    """Two words change places in every line that has them, or two blocks of characters."""
    lines = data.split(b"\n")
    i, j = sorted(int(x) for x in rng.integers(10, size=2))
    out = []
    for line in lines:
        words = line.split(b" ")
        if len(words) > j:
            words[i], words[j] = words[j], words[i]
        out.append(b" ".join(words))
    return b"\n".join(out)


def replace_number(data: bytes, rng: np.random.Generator) -> bytes:
    found = list(re.finditer(rb"-?\d+\.?\d*", data))
    if not found:
        return flip_bytes(data, rng)
    out = data
    for _ in range(int(rng.integers(1, 5))):
        match = found[int(rng.integers(len(found)))]
        new = NUMBERS[int(rng.integers(len(NUMBERS)))]
        if rng.random() < 0.6:  # the same width, so that fixed columns stay where they are
            new = new[: match.end() - match.start()].rjust(match.end() - match.start())
        out = out[: match.start()] + new + out[match.end() :]
    return out


def replace_word(data: bytes, rng: np.random.Generator) -> bytes:
    found = list(re.finditer(rb"\S+", data))
    if not found:
        return flip_bytes(data, rng)
    match = found[int(rng.integers(len(found)))]
    return data[: match.start()] + WORDS[int(rng.integers(len(WORDS)))] + data[match.end() :]


def absurd_cell(data: bytes, rng: np.random.Generator) -> bytes:
    """Another cell wherever the formats write one; in MTZ the records CELL and DCELL, of 80 bytes each."""
    cell = CELLS[int(rng.integers(len(CELLS)))]
    numbers = cell.split()
    wide = "".join(f"{float(n):9.3f}"[:9] for n in numbers[:3]) + "".join(f"{float(n):7.2f}"[:7] for n in numbers[3:])
    out = re.sub(rb"CRYST1.{48}", lambda m: b"CRYST1" + wide.encode(), data)
    for record, keep in ((b"CELL ", 5), (b"DCELL ", 16)):
        at = out.find(record)
        while at >= 0 and data[:4] == b"MTZ ":
            new = (out[at : at + keep] + cell.encode()).ljust(80)[:80]
            out = out[:at] + new + out[at + 80 :]
            at = out.find(record, at + 80)
    out = re.sub(rb"(!UNIT_CELL_CONSTANTS=).*", lambda m: m[1] + cell.encode(), out)
    tags = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    for tag, number in zip(tags, numbers, strict=True):
        out = re.sub(rb"(_cell\." + tag.encode() + rb"\s+)\S+", lambda m, n=number: m[1] + n.encode(), out)
    if data[:6] == b"    1\n":
        lines = out.split(b"\n")
        lines[2] = "".join(f"{n:>10s}" for n in numbers).encode() + b" p21"
        out = b"\n".join(lines)
    return out if out != data else replace_number(data, rng)


POISON = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e38, -1e38, 1e-45, 0.5, 2.0**31, 999999.0)


def poison_values(data: bytes, rng: np.random.Generator) -> bytes:
    """A few values, or a whole column, of what is measured: not numbers, infinite, zero, negative, another column's.
    The frame of the file stays sound, so that what lies behind the parser is reached."""
    value = POISON[int(rng.integers(len(POISON)))]
    whole, other = bool(rng.random() < 0.5), bool(rng.random() < 0.2)
    if data[:4] == b"MTZ ":
        return _poisoned_mtz(data, rng, value, whole, other)
    text = f"{value:g}".encode()
    lines = data.split(b"\n")
    fixed = data[:6] == b"    1\n" or re.match(rb"[ \d-]{12}", lines[0]) is not None or b"CRYST1" in data
    if fixed:  # columns of eight characters
        start = int(rng.choice([30, 38, 46, 54, 60]) if b"CRYST1" in data else rng.choice([12, 20]))
        size = 6 if start in (54, 60) else 8
        marks = (b"ATOM", b"HETATM") if b"CRYST1" in data else (b" ", b"-")
        rows = [i for i, line in enumerate(lines) if line.startswith(marks) and len(line) >= start + size]
        for i in rows if whole else rng.choice(rows or [0], size=min(len(rows), 3)):
            new = lines[int(i)][20:28] if other and size == 8 else text[:size].rjust(size)
            lines[int(i)] = lines[int(i)][:start] + new + lines[int(i)][start + size :]
        return b"\n".join(lines)
    counts = np.bincount([len(line.split()) for line in lines])
    counts[:4] = 0
    size = int(counts.argmax())
    rows = [i for i, line in enumerate(lines) if len(line.split()) == size]
    column, source = int(rng.integers(3, max(size, 4))), int(rng.integers(3, max(size, 4)))
    for i in rows if whole else rng.choice(rows or [0], size=min(len(rows), 3)):
        words = lines[int(i)].split()
        if len(words) > max(column, source):
            words[column] = words[source] if other else text
            lines[int(i)] = b" ".join(words)
    return b"\n".join(lines)


def _poisoned_mtz(data: bytes, rng: np.random.Generator, value: float, whole: bool, other: bool) -> bytes:
    words = data[data.find(b"NCOL ") + 5 :][:75].split()
    n_columns, n_rows = int(words[0]), int(words[1])
    if n_columns < 4 or 80 + 4 * n_columns * n_rows > len(data):
        return flip_bytes(data, rng)
    table = np.frombuffer(data, "<f4", n_columns * n_rows, 80).reshape(n_rows, n_columns).copy()
    column = int(rng.integers(3, n_columns))
    rows = slice(None) if whole else rng.integers(n_rows, size=5)
    with np.errstate(over="ignore"):
        table[rows, column] = table[rows, int(rng.integers(n_columns))] if other else np.float32(value)
    return data[:80] + table.tobytes() + data[80 + table.nbytes :]


def rename_columns(data: bytes, rng: np.random.Generator) -> bytes:
    """Another label or another type for a column; in text formats two item names change places."""
    if data[:4] == b"MTZ ":
        places = [match.start() for match in re.finditer(rb"COLUMN ", data)]
        at = places[int(rng.integers(len(places)))] if places else -1
        if at < 0:
            return flip_bytes(data, rng)
        record = bytearray(data[at : at + 80])
        if rng.random() < 0.5:
            record[38] = ord(str(rng.choice(list("HJFDQGLKMEPWAYIBRVXZ?"))))
        else:
            record[7:37] = (
                str(rng.choice(["", "FREE", "H", "F", "SIGF", "I(+)", "FreeR_flag", "?" * 30])).encode().ljust(30)
            )
        return data[:at] + bytes(record) + data[at + 80 :]
    names = sorted(set(re.findall(rb"_[A-Za-z_]+\.[\w\[\]]+|!ITEM_\S+?(?==)", data)))
    if len(names) < 2:
        return replace_word(data, rng)
    one, two = (names[int(i)] for i in rng.choice(len(names), size=2, replace=False))
    return re.sub(re.escape(one) + rb"(?=[\s=])", two, data)


def huge_promise(data: bytes, rng: np.random.Generator) -> bytes:
    """Counts and offsets as large as their fields hold."""
    if data[:4] == b"MTZ ":
        how = int(rng.integers(4))
        if how == 0:
            place = int(rng.choice([2**31 - 1, 2**30, 600_000_000, len(data) // 4 + 2, 1, 0, -1, -5]))
            return data[:4] + struct.pack("<i", place) + data[8:]
        if how == 1:
            return (
                data[:4] + struct.pack("<i", -1) + data[8:12] + struct.pack("<q", int(rng.integers(2**62))) + data[20:]
            )
        big = str(rng.choice([2**31 - 1, 2**31, 2**32 + 5, 10**9, 536870912])).encode()
        at = data.find(b"NCOL ")
        words = data[at + 5 : at + 80].split()
        words[int(rng.integers(3))] = big
        return data[:at] + (b"NCOL " + b" ".join(words)).ljust(80)[:80] + data[at + 80 :]
    what = int(rng.integers(3))
    if what == 0:
        return data + b"9" * int(rng.integers(10_000, 3_000_000))
    if what == 1:
        return data + b"\n" * int(rng.integers(10_000, 1_000_000))
    return data.replace(b"\n", b" ", int(rng.integers(1, 50)))


def compressed(data: bytes, rng: np.random.Generator) -> bytes:
    """Gzip of a mutated file, sometimes itself cut or bitten."""
    whole = gzip.compress(mutated(data, rng, deep=False), 1)
    how = int(rng.integers(4))
    return truncate(whole, rng) if how == 0 and len(whole) else flip_bytes(whole, rng) if how == 1 else whole


def nothing_but(data: bytes, rng: np.random.Generator) -> bytes:
    """The first bytes that tell the format, then junk."""
    return data[: int(rng.integers(4, 200))] + rng.bytes(int(rng.integers(0, 5000)))


MUTATIONS: tuple[Mutation, ...] = (
    flip_bytes, flip_header, truncate, cut_out, insert_junk, shuffle_lines, swap_columns, replace_number, replace_word,
    absurd_cell, huge_promise, nothing_but, poison_values, poison_values, poison_values, rename_columns,
)  # fmt: skip


def mutated(data: bytes, rng: np.random.Generator, deep: bool = True) -> bytes:
    """One to three mutations, one in twelve compressed."""
    if deep and rng.random() < 1 / 12:
        return compressed(data, rng)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        if len(data) > 8:
            try:
                data = MUTATIONS[int(rng.integers(len(MUTATIONS)))](data, rng)
            except (ValueError, IndexError):  # what it looks for has been mutated away
                data = flip_bytes(data, rng)
    return data
