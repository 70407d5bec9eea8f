"""Which atoms a TLS group holds, as the headers of PHENIX and BUSTER say it.

PHENIX: "chain 'A' and (resid 1 through 68 or resid 80:90)"; BUSTER: "{ A|3 - A|95 A|201 - 210 B|* }".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import BoolArray, IntArray, TextArray

Rows = Callable[[TextArray, IntArray], BoolArray]
"""From chain (n,) and residue number (n,) of each atom to the atoms selected."""

_TOKEN = re.compile(r"""\(|\)|'[^']*'|"[^"]*"|:|[^\s():'"]+""")
_NUMBER = re.compile(r"(-?\d+)[A-Za-z]?")
_BUSTER = re.compile(
    r"(?P<chain>[^\s|{}]*)\|(?P<first>\*|-?\d+)[A-Za-z]?(?:\s*-\s*(?:(?P<other>[^\s|{}]*)\|)?(?P<last>-?\d+)[A-Za-z]?)?"
)


DEEPEST = 60
"""Parentheses and negations in one selection; more are damage."""


class NotUnderstood(Exception):
    """A selection with words that are not known here."""


@dataclass(frozen=True)
class ResidueRange:
    """Residues first to last of a chain, both included; None is the end of the chain."""

    chain: str
    first: int | None
    last: int | None

    def __call__(self, chain: TextArray, number: IntArray) -> BoolArray:
        rows: BoolArray = np.asarray(chain == self.chain)
        if self.first is not None:
            rows &= number >= self.first
        if self.last is not None:
            rows &= number <= self.last
        return rows


def any_of(parts: tuple[Rows, ...]) -> Rows:
    def rows(chain: TextArray, number: IntArray) -> BoolArray:
        found = np.zeros(len(number), dtype=np.bool_)
        for part in parts:
            found |= part(chain, number)
        return found

    return rows


def buster_selection(text: str) -> Rows:
    """Ranges between braces. Raises NotUnderstood."""
    inside = text.strip().removeprefix("{").removesuffix("}").strip()
    parts = []
    at = 0
    for match in _BUSTER.finditer(inside):
        if inside[at : match.start()].strip(" ,;"):
            raise NotUnderstood(text)
        at = match.end()
        chain, first, last = match["chain"], match["first"], match["last"]
        if match["other"] not in (None, chain) or (first == "*" and last is not None):
            raise NotUnderstood(text)
        if first == "*":
            parts.append(ResidueRange(chain, None, None))
        else:
            parts.append(ResidueRange(chain, int(first), int(last if last is not None else first)))
    if not parts or inside[at:].strip(" ,;"):
        raise NotUnderstood(text)
    return any_of(tuple(parts))


def phenix_selection(text: str) -> Rows:
    """An atom selection of chains and residue numbers. Raises NotUnderstood for anything else (names, elements)."""
    words = _TOKEN.findall(text)
    nested = sum(word.lower() in ("(", "not") for word in words)
    if not words or nested > DEEPEST:
        raise NotUnderstood(text)
    parser = _Parser(words, text)
    found = parser.either()
    if parser.at != len(words):
        raise NotUnderstood(text)
    return found


class _Parser:
    """either: both {or both}; both: one {and one}; one: not one | (either) | chain X | resid A [through B] | all."""

    def __init__(self, words: list[str], text: str) -> None:
        self.words, self.text, self.at = words, text, 0

    def _peek(self) -> str:
        return self.words[self.at].lower() if self.at < len(self.words) else ""

    def _next(self) -> str:
        if self.at >= len(self.words):
            raise NotUnderstood(self.text)
        self.at += 1
        return self.words[self.at - 1].strip("'\"")

    def either(self) -> Rows:
        parts = [self.both()]
        while self._peek() == "or":
            self.at += 1
            parts.append(self.both())
        return any_of(tuple(parts))

    def both(self) -> Rows:
        parts = [self.one()]
        while self._peek() == "and":
            self.at += 1
            parts.append(self.one())

        def rows(chain: TextArray, number: IntArray) -> BoolArray:
            found = np.ones(len(number), dtype=np.bool_)
            for part in parts:
                found &= part(chain, number)
            return found

        return rows

    def one(self) -> Rows:
        word = self._next().lower()
        if word == "not":
            inner = self.one()
            return lambda chain, number: ~inner(chain, number)
        if word == "(":
            inner = self.either()
            if self._next() != ")":
                raise NotUnderstood(self.text)
            return inner
        if word == "all":
            return lambda chain, number: np.ones(len(number), dtype=np.bool_)
        if word == "chain":
            name = self._next().strip()
            return lambda chain, number: np.asarray(chain == name)
        if word in ("resid", "resseq", "resi"):
            return self._numbers()
        raise NotUnderstood(self.text)

    def _numbers(self) -> Rows:
        first = last = self._number(self._next())
        if self._peek() in (":", "through", "-"):
            self.at += 1
            last = self._number(self._next())
        return lambda chain, number: (number >= first) & (number <= last)

    def _number(self, word: str) -> int:
        match = _NUMBER.fullmatch(word)
        if match is None:
            raise NotUnderstood(self.text)
        return int(match[1])
