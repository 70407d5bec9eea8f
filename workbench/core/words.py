"""Counted things in words: one reflection is, two reflections are."""

from __future__ import annotations


def counted(number: int, noun: str, verb: str = "") -> str:
    """'1 reflection', '2 reflections'; with a verb in its plural 'are', 'have', 'lie', ... also '1 reflection is'."""
    one = number == 1
    words = f"{number} {noun if one else noun + 's'}"
    return words if not verb else f"{words} {_SINGULAR.get(verb, verb + 's') if one else verb}"


_SINGULAR = {"are": "is", "have": "has"}
