"""Ours and servalcat on the same data from the same start, one core each, measured by one scorer.

    python -m tests.benchmarks.side_by_side --help

Nothing here comes from a program's own log: R factors, likelihood, geometry and Ramachandran are computed for both
outputs by the scripts of `in_peer`, time and memory by the operating system.
"""
