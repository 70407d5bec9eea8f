"""One path for window, command line and tests: files in, events out."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.core.control import RunControl
from workbench.core.errors import WorkbenchError
from workbench.core.events import CycleFinished, Failed, Note, Prepared, Progress, RunEvent
from workbench.core.settings import RunRequest
from workbench.session.kernel_cache import COMPILING, KernelCache, prepare_kernel_cache

if TYPE_CHECKING:
    from workbench.engine.prepare import RefinementProblem


def run(request: RunRequest, control: RunControl) -> Iterator[RunEvent]:
    """Read the files, prepare, refine. Every error ends the stream with a Failed event; nothing is raised."""
    try:
        cache = prepare_kernel_cache()
        problem = yield from _prepared(request, cache)
        from workbench.engine.refine import refine

        cycles = 0
        for event in refine(problem, control):
            # Kernels are compiled where they are first used, which may be anywhere in the first cycle.
            yield event if cache.warm or cycles >= 2 else _compiling(event)
            if isinstance(event, CycleFinished):
                cycles += 1
                if cycles == 2:
                    cache.complete()
    except Exception as error:
        yield failed(error)


def _compiling(event: RunEvent) -> RunEvent:
    """What is being done, with the reason why it takes so long."""
    return replace(event, text=f"{event.text} \u00b7 {COMPILING}") if isinstance(event, Progress) else event


def failed(error: Exception) -> Failed:
    """An error as the event that ends a run."""
    if isinstance(error, WorkbenchError):
        return Failed(
            message=error.message,
            exit_code=error.exit_code,
            details=traceback.format_exc(),
            file=error.file,
            item=error.item,
            remedy=error.remedy,
            choice=error.choice,
        )
    if isinstance(error, MemoryError):
        return Failed(
            "The computer ran out of memory.", 2, traceback.format_exc(), remedy="Close other programs and try again."
        )
    return Failed(
        f"An error inside the program ended the run ({type(error).__name__}: {error}).",
        2,
        traceback.format_exc(),
        remedy="Please report this with the details.",
    )


def score_model(request: RunRequest, tell: Callable[[str], None] | None = None) -> tuple[Prepared, CycleFinished]:
    """The model as it is against the data; errors are raised, warnings are told.

    The request's settings decide about hydrogens ("keep": exactly the atoms of the file).
    """
    cache = prepare_kernel_cache()
    problem = _last(_prepared(request, cache), tell)
    from workbench.engine.refine import score

    cycle, found = score(problem)
    for note in (*problem.notes, *found):
        if tell is not None and note.severity == "warning":
            tell(f"Warning: {note.text}")
    return problem.prepared, cycle


def _last(steps: Generator[RunEvent, None, RefinementProblem], tell: Callable[[str], None] | None) -> RefinementProblem:
    """The problem at the end of the steps; what they note is told."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            problem: RefinementProblem = end.value
            return problem
        if tell is not None and isinstance(event, Note):
            tell(event.text)


def _prepared(request: RunRequest, cache: KernelCache) -> Generator[RunEvent, None, RefinementProblem]:
    """Yields what is being done; returns the problem."""
    if not cache.warm:
        yield Note(COMPILING)
        yield Progress(COMPILING)
    yield Progress(f"Reading {request.model_path}")
    from workbench.io.models import read_model
    from workbench.io.monomers import read_monomers
    from workbench.io.reflections import read_reflections

    settings = request.settings
    model = read_model(request.model_path)
    yield Progress(f"Reading {request.data_path}")
    reflections = read_reflections(
        request.data_path,
        labels=request.labels,
        free_label=request.free_label,
        free_value=request.free_value,
        d_min=settings.d_min,
        options=request.intake,
        model_crystal=model.crystal,
    )
    from workbench.engine.cross_validation.test_set import with_test_set

    reflections = with_test_set(reflections, request.intake)
    yield Progress("Reading restraint dictionaries")
    monomers = read_monomers(sorted(set(model.residues.name.tolist())), request.dictionaries, request.library)
    for note in monomers.notes:
        yield Note(note)
    preparing = Progress("Preparing restraints, scaling and bulk solvent")
    yield preparing if cache.warm else _compiling(preparing)
    from workbench.engine.prepare import prepare

    problem = prepare(
        model,
        reflections,
        monomers.library,
        monomers.sources,
        monomers.dictionaries,
        settings,
        start=request.start,
        first_cycle=request.first_cycle,
        links=dict(request.links),
        strict_links=request.strict_links,
        automatic_weight=request.automatic_weight,
        b_weight=request.b_weight,
        suspect_set=request.suspect_set,
    )
    return problem if request.residue_fit else replace(problem, groups=None)
