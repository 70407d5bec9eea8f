"""Decisions about data: the same value from the window, the command line and the settings file."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.cli.options import Parser, add_inputs, add_refinement, run_request
from workbench.core.settings import DataOptions, RefinementSettings, RunRequest
from workbench.session.command_line import refine_command
from workbench.session.data_choice import DataChoice

names = st.text("ABCFIabc_019", min_size=1, max_size=8)
paths = st.text("abc XYZ'\"/.-", min_size=1, max_size=12).filter(lambda text: not text.startswith("-"))
numbers = st.integers(1, 9999).map(lambda n: n / 100)


@st.composite
def choices(draw: st.DrawFn) -> DataChoice:
    """What the dialog can produce: a seed only where something is drawn."""
    create = draw(st.none() | st.integers(5, 500).map(lambda n: n / 1000))
    extend = create is None and draw(st.booleans())
    options = DataOptions(
        space_group=draw(st.sampled_from(["", "P 21 21 21", "R 3:H", "C 1 2 1"])),
        cell=draw(st.none() | st.tuples(*[numbers] * 6)),
        dataset=draw(st.just("") | names),
        merge=draw(st.booleans()),
        free_file=draw(st.just("") | paths),
        free_reindex=draw(st.sampled_from(["", "k,h,-l", "-h,-k,l"])),
        create_free=create,
        free_seed=draw(st.integers(0, 99)) if create is not None or extend else 0,
        thin_shells=create is not None and draw(st.booleans()),
        extend_free=extend,
    )
    labels = draw(st.none() | st.tuples(names, st.just("") | names))
    return DataChoice(labels, draw(st.none() | names), draw(st.none() | st.integers(-1, 30)), options)


def parsed(command: str) -> RunRequest:
    parser = Parser()
    add_inputs(parser)
    add_refinement(parser)
    words = shlex.split(command)
    assert words[:2] == ["workbench", "refine"]
    return run_request(parser.parse_args(words[2:], argparse.Namespace()))


@settings(max_examples=150, deadline=None)
@given(choices(), paths, paths)
def test_the_command_line_says_the_same(choice: DataChoice, model: str, data: str) -> None:
    chosen = RefinementSettings(
        cycles=7, b_model="isotropic", accept_unplaced=True, d_min=1.8, hydrogens="all", jelly_body=0.5, ncs=0.0,
        fix="A:1-20,B", hold="C", hold_sigma=0.05, likelihood="intensities",
    )  # fmt: skip
    request = choice.in_request(RunRequest(model, data, ("a b.cif",), settings=chosen, strict_links=True))
    assert DataChoice.of(request) == choice
    back = parsed(refine_command(request))
    assert DataChoice.of(back) == choice
    assert back.settings == chosen and back.dictionaries == request.dictionaries
    assert (back.model_path, back.data_path) == (model, data)


@settings(max_examples=100, deadline=None)
@given(choices())
def test_the_settings_file_keeps_it(choice: DataChoice) -> None:
    assert DataChoice.from_plain(json.loads(json.dumps(choice.plain()))) == choice
    assert bool(choice.words()) or not choice or choice.options.free_seed


def test_what_is_no_decision_is_none() -> None:
    assert not DataChoice() and not DataChoice().words() and not DataChoice().option_words()
    for odd in (None, 3, [], {"labels": 5}, {"cell": [1, 2]}, {"free_value": "x"}, {"create_free": []}):
        assert not DataChoice.from_plain(odd)


def test_pairs_are_named_by_their_first_column() -> None:
    pair = DataChoice(labels=("I(+),I(-)", "SIGI(+),SIGI(-)"))
    assert pair.option_words() == ["--labels", "I(+),SIGI(+)"]
    assert DataChoice(labels=("IMEAN", "")).option_words() == ["--labels", "IMEAN"]


def test_giving_up_a_set_is_said() -> None:
    new = DataChoice(free_label="none", options=DataOptions(create_free=0.05, thin_shells=True, free_seed=4))
    assert new.words() == ("new test set 5 % in thin shells, seed 4, the old one given up",)
    assert replace(new, options=DataOptions()).words() == ("no test set",)
