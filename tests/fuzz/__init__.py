"""Mutated input files against the readers, in a child process."""
