"""The verdict on a run, as a pure function of its statistics (rules and figures: docs/diagnosis.md).

Six answers: not yet settled (also: too early to judge), healthy, watch, overfitting, test set suspect, data that look
twinned. What compares with an expectation is applied only once the run has settled; what compares the run with itself
is applied from the third cycle on. A new answer counts when two cycles in a row give it, but for those AT_ONCE.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.core.events import CycleStatistics, Prepared
from workbench.engine.b_groups import find_b_groups
from workbench.engine.cross_validation.expected_ratio import (
    ExpectedRatio,
    approximation,
    empirical,
    gap_limit,
    tickle,
    usual_gap,
)

State = Literal["waiting", "not settled", "healthy", "watch", "overfitting", "test set", "twinned"]

FIRST = 3
"""Cycles before anything is judged: until then R_free / R_work is near its start by construction."""
SETTLED_WORK, SETTLED_FREE, SETTLED_CYCLES = 0.002, 0.003, 4
"""Largest fall of R_work (over three cycles) and of R_free (over four) of a run that has settled."""
LOOSE_CYCLES = 6
"""Cycles before weights are called the cause: how much freedom they give does not wait for R_work to rest, but its
signs (gap, bonds, rises of the test set) take a few cycles at one weight to show."""
RATIO_SPREAD = 0.04
"""Scatter of R_free / R_work about Tickle's expectation among sound models beyond the sampling error: a working value,
to be replaced by one from simulations."""
Z_WATCH, Z_RED = 2.0, 2.6
EXCESS_WATCH, EXCESS_RED = 0.05, 0.10
"""Expected R_free / R_work with the weights in use, minus that with the automatic ones."""
RISE_WATCH, RISE_RED = 2.0, 3.0
"""Paired sigma of a rise of R_free or of the free -LL above the best cycle."""
SMALL_RISE, SMALL_LL_RISE = 0.003, 0.01
"""A rise below these is no news: the best of many cycles is the best partly by chance."""
EXCHANGE, EXCHANGE_FALL = 0.5, 0.003
BONDS_WATCH, BONDS_RED = 1.5, 2.0
AT_ONCE = ("test set", "twinned")
"""Answers that do not wait for a second cycle."""
FIRST_SEEN = "Judged for the first time; the next cycle will confirm it or not."
FEW_TEST, FEW_DRIFT = 500, 5
REFINED = 1.25
"""R_work of the start over the lowest of the run, up to which the start counts as refined before."""
SAME_LIMIT = 1.03
"""Finest reflection over the limit asked for, up to which that limit counts as the one that ends the data."""
NO_GAP = 0.15
"""Share of the expected gap below which a refined start has none."""
TRIED = 1.1
"""A cycle with so many times the parameters of a later one belongs to a trial that was not kept."""


@dataclass(frozen=True)
class Rule:
    """One rule with its numbers. name: what is compared. value, limit: as text. fired: it speaks against the run."""

    name: str
    value: str
    limit: str
    fired: bool


@dataclass(frozen=True)
class RunContext:
    """What the rules need besides the statistics. n_atoms: refined non-hydrogen atoms. anisotropic: most have tensors.
    alarms: what is wrong with the test set itself (`test_set_alarms`). b_per_atom: B refined, where atoms share them or
    none is. twinned: as `Prepared.twinned`. cut: as `cut_by_the_user`."""

    d_min: float
    n_atoms: int
    anisotropic: bool = False
    alarms: tuple[str, ...] = ()
    b_per_atom: float = 1.0
    twinned: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Verdict:
    """state; title and sentence in plain words; remedy: what to do (empty when nothing). cycle: the one judged.
    gap, expected_gap, expected_sigma: R_free - R_work, what is expected of it, and the half-width of its band (NaN
    where not known). best_cycle: lowest free -LL so far. rules: every rule that was applied, with numbers. since: the
    cycle from which on the state was told without interruption."""

    state: State
    title: str
    sentence: str
    remedy: str
    cycle: int
    gap: float
    expected_gap: float
    expected_sigma: float
    best_cycle: int
    rules: tuple[Rule, ...]
    since: int = 0

    def document(self) -> dict[str, object]:
        """As statistics.json has it."""
        return {
            "state": self.state,
            "reason": self.sentence,
            "remedy": self.remedy,
            "cycle": self.cycle,
            "since": self.since,
            "best_cycle": self.best_cycle,
            "gap": self.gap,
            "expected_gap": self.expected_gap,
            "expected_gap_sigma": self.expected_sigma,
            "rules": [{"rule": r.name, "value": r.value, "limit": r.limit, "fired": r.fired} for r in self.rules],
        }


def test_set_alarms(n_work: int, n_free: int, has_free: bool, outer_shell_free: int | None = None) -> tuple[str, ...]:
    """What is wrong with a test set before any model is looked at, in sentences; few reflections are no alarm."""
    if not has_free:
        return ("There is no test set: nothing can tell whether the model is overfitted.",)
    alarms = []
    if n_free > n_work:
        alarms.append(
            f"More reflections are in the test set ({n_free}) than outside ({n_work}): the flags look inverted."
        )
    if outer_shell_free == 0:
        alarms.append("The outermost resolution shell holds no test reflection.")
    return tuple(alarms)


test_set_alarms.__test__ = False  # type: ignore[attr-defined]


def context_of(prepared: Prepared) -> RunContext:
    """The context of a run from what was prepared for it."""
    model, reflections = prepared.model, prepared.reflections
    heavy = ~np.isin(model.element, ("H", "D"))
    n_free = int(np.count_nonzero(reflections.free))
    alarms = test_set_alarms(len(reflections) - n_free, n_free, reflections.has_free)
    n_atoms = int(np.count_nonzero(heavy))
    groups = find_b_groups(model, prepared.settings.b_model, np.flatnonzero(~heavy).astype(np.int32))
    shaped = groups is None and heavy.any() and float(np.mean(model.anisotropic[heavy])) > 0.5
    return RunContext(
        d_min=reflections.d_min,
        n_atoms=n_atoms,
        anisotropic=bool(shaped),
        b_per_atom=1.0 if groups is None else len(groups.slots) / max(n_atoms, 1),
        alarms=alarms,
        twinned=prepared.twinned,
        cut=cut_by_the_user(prepared),
    )


def cut_by_the_user(prepared: Prepared) -> bool:
    """The limit is the user's and not that of the data. A model refined against the data beyond it, too, has a smaller
    gap at the start than one that was refined against what is left."""
    limit = prepared.settings.d_min
    return limit is not None and prepared.reflections.d_min <= SAME_LIMIT * limit


@dataclass(frozen=True)
class _Told:
    """What was told after some cycles: the verdict, that of the last cycle alone, and since when. rows: kept alive, for
    their identity names this value in a memory."""

    told: Verdict
    previous: Verdict
    since: int
    rows: tuple[CycleStatistics, ...]


Memory = dict[tuple[int, ...], _Told]
"""What `judge` has found before, by the identity of the rows; a run that grows by a cycle then costs one step."""


def judge(history: Sequence[CycleStatistics], context: RunContext, memory: Memory | None = None) -> Verdict:
    """The verdict after the last row of `history` (first row: the start of the run).

    An answer that differs from the one before counts only when the cycle before gave it too; a suspect test set and the
    first answers are told at once. Only `comparable` cycles count. memory: of earlier calls with the same context.
    """
    rows = tuple(comparable(history))
    if not rows:
        return _verdict("waiting", "No cycle yet.", "", (), (), math.nan, math.nan)
    names = tuple(map(id, rows))
    memory = {} if memory is None else memory
    known = next((end for end in range(len(rows), 0, -1) if names[:end] in memory), 0)
    for end in range(known + 1, len(rows) + 1):
        now = _of_twinned_data(_single(rows[:end], context), context)
        before = memory.get(names[: end - 1])
        if before is None:
            memory[names[:end]] = _Told(now, now, now.cycle, rows[:end])
            continue
        told, since = before.told, before.since
        early = told.state in ("waiting", "not settled") and now.state in ("waiting", "not settled")
        if now.state == before.previous.state or early or now.state in (told.state, *AT_ONCE):
            since = since if now.state == told.state else now.cycle
            told = now
        memory[names[:end]] = _Told(told, now, since, rows[:end])
    found = memory[names]
    told, previous, last = found.told, found.previous, rows[-1]
    if told.cycle != last.cycle:
        gap = last.r_free - last.r_work
        if told.state == "waiting":
            told = replace(told, state="not settled", title=_TITLES["not settled"], sentence=FIRST_SEEN)
        told = Verdict(
            told.state, told.title, told.sentence, told.remedy, last.cycle, gap, previous.expected_gap,
            previous.expected_sigma, previous.best_cycle, previous.rules,
        )  # fmt: skip
    return replace(told, since=found.since)


def judge_result(
    history: Sequence[CycleStatistics], kept: CycleStatistics, context: RunContext
) -> tuple[Verdict, Verdict]:
    """The verdict on a run at its last cycle, and that on the cycle `kept` by the cycles that led to it.

    A suspect test set is no matter of cycles: once the run says so, it holds for each of them.
    """
    run = judge(history, context)
    upto = [row for row in history if row.cycle <= kept.cycle]
    result = judge(upto, context) if upto else run
    if run.state == "test set" and result.cycle != run.cycle:
        result = replace(
            run, cycle=result.cycle, since=min(run.since, result.cycle), best_cycle=result.best_cycle, gap=result.gap,
            expected_gap=result.expected_gap, expected_sigma=result.expected_sigma,
        )  # fmt: skip
    return run, result


def comparable(history: Sequence[CycleStatistics]) -> Sequence[CycleStatistics]:
    """The cycles that the last one can be compared with: those over the same reflections and the same test set, refined
    against the same (amplitudes or intensities), without the ones of a larger model that was tried and given up
    (anisotropic atoms that the test set did not support)."""
    if not history:
        return history
    sets = [(row.n_work, row.n_free, row.likelihood) for row in history]
    first = next((i + 1 for i in range(len(sets) - 1, -1, -1) if sets[i] != sets[-1]), 0)
    kept: list[CycleStatistics] = []
    smallest = math.inf
    for row in reversed(history[first:]):
        if row.parameters > TRIED * smallest:
            continue
        if row.parameters:
            smallest = min(smallest, row.parameters)
        kept.append(row)
    return kept[::-1]


def settled(history: Sequence[CycleStatistics]) -> bool:
    """R_work and R_free no longer fall, at one weight; and the run has come past its first cycles.

    R_work may rise: an automatic weight that is being lowered gives back what it had taken. R_free may rise: that is no
    reason to wait before it is said.
    """
    if len(history) <= FIRST + 1:
        return False
    work = [row.r_work for row in history[-3:]]
    free = [row.r_free for row in history[-SETTLED_CYCLES:]]
    return (
        work[0] - min(work) <= SETTLED_WORK
        and not max(free) - free[-1] > _free_limit(history[-1])
        and _one_weight(history)
    )


def _one_weight(history: Sequence[CycleStatistics]) -> bool:
    """The weight was the automatic one, or the same multiple of it, over the last three cycles."""
    return len({round(row.xray_weight / max(row.automatic_weight, 1e-9), 3) for row in history[-3:]}) == 1


def _free_limit(row: CycleStatistics) -> float:
    """A small test set moves more from cycle to cycle without meaning anything."""
    sigma = row.r_free_sigma if math.isfinite(row.r_free_sigma) else 0.0
    return max(SETTLED_FREE, 0.5 * sigma)


def expected(row: CycleStatistics, context: RunContext) -> tuple[ExpectedRatio, ExpectedRatio]:
    """Expected R_free / R_work with the automatic weights, and with those in use: Tickle's, from the trace of the
    normal matrix where it is known, else the approximation."""
    if math.isfinite(row.reference_parameters):
        words = f"Tickle, {row.reference_parameters:.0f} effective of {row.parameters} parameters"
        reference = ExpectedRatio(tickle(row.n_work, row.reference_parameters), RATIO_SPREAD, words)
        used = f"Tickle, {row.effective_parameters:.0f} effective of {row.parameters} parameters"
        return reference, ExpectedRatio(tickle(row.n_work, row.effective_parameters), RATIO_SPREAD, used)
    per_atom = 9.0 if context.anisotropic else 3.0 + context.b_per_atom
    rough = approximation(row.n_work, context.n_atoms, per_atom, context.d_min)
    return rough, rough


def gap_band(row: CycleStatistics, context: RunContext) -> tuple[float, float]:
    """R_free - R_work that is expected of a cycle at its R_work, and the half-width of the band: the spread of the rule
    and the sampling error of R_free (NaN without a test set)."""
    reference, _ = expected(row, context)
    spread = reference.spread if math.isfinite(reference.spread) else RATIO_SPREAD
    return row.r_work * (reference.ratio - 1.0), math.hypot(_sampling_error(row), spread * row.r_work)


def _of_twinned_data(verdict: Verdict, context: RunContext) -> Verdict:
    """R factors of a twin refined as one crystal say little of the model, so that no such run is healthy; what is worse
    than that is still said."""
    if not context.twinned or verdict.state in ("test set", "overfitting"):
        return verdict
    rule = Rule("Twinning", context.twinned, "L-test and agreement of twin mates, as `workbench inspect`", True)
    return replace(
        verdict,
        state="twinned",
        title=_TITLES["twinned"],
        sentence=f"{context.twinned[:1].upper()}{context.twinned[1:]}: as one crystal the model cannot be judged.",
        remedy="Check the space group; detwin the data, or refine with a program that has a twin target.",
        rules=(rule, *verdict.rules),
    )


def _single(history: Sequence[CycleStatistics], context: RunContext) -> Verdict:
    """The answer of one cycle, without regard to the one before."""
    row = history[-1]
    start = history[0]
    best = min(history, key=lambda r: r.ll_free if math.isfinite(r.ll_free) else r.ll_work)
    gap = row.r_free - row.r_work
    done = row.cycle - start.cycle
    if context.alarms:
        return _verdict("test set", context.alarms[0], "Look at the free-set choice under Files.", history, (), *_NONE)
    reference, used = expected(row, context)
    expected_gap, sigma = gap_band(row, context)
    z = (gap - expected_gap) / sigma if sigma > 0.0 else 0.0
    suspicious = _suspicious_start(history, reference.ratio, context.cut)
    if suspicious is None and done >= FEW_DRIFT and gap < 0.0 and z < -Z_WATCH:
        suspicious = _below(row)
    if suspicious is not None:
        sentence = f"{suspicious.value}: these test reflections have been refined against."
        remedy = "Choose another free set, or shake the model, reset its B and refine again before trusting R_free."
        return _verdict("test set", sentence, remedy, history, (suspicious,), *_NONE)
    if done < FIRST:
        text = f"Too early to judge, cycle {done} of {FIRST}."
        return _verdict("waiting", text, "", history, (), expected_gap, sigma)
    rests = settled(history)
    limit = gap_limit(context.d_min)
    excess = used.ratio - reference.ratio if math.isfinite(used.ratio) else math.inf
    bonds = row.rmsz_bonds if math.isfinite(row.rmsz_bonds) else 0.0
    r_rise = _in_sigma(row.r_free_rise, row.r_free_rise_sigma, SMALL_RISE)
    ll_rise = _in_sigma(row.ll_free_rise, row.ll_free_rise_sigma, SMALL_LL_RISE)
    lowest = min(history, key=lambda r: r.r_free)
    falls = row.r_work < lowest.r_work - 1e-4
    exchange = _exchange(history)
    kind = "anisotropic" if context.anisotropic else "isotropic" if context.b_per_atom == 1.0 else "overall"
    rough = empirical(row.n_work, context.n_atoms, kind)
    rules = (
        Rule("Gap against expectation", f"{gap:.3f}, expected {expected_gap:.3f} ± {sigma:.3f}: z {z:+.1f}",
             f"watch {Z_WATCH}, red {Z_RED} with the gap beyond {limit:.2f}; {reference.source}", z > Z_WATCH),
        Rule("Gap against resolution", f"{gap:.3f}", f"{limit:.2f}; usual {usual_gap(context.d_min):.3f}", gap > limit),
        Rule("Freedom that the weights give", f"ratio {used.ratio:.2f} against {reference.ratio:.2f}: {excess:+.2f}",
             f"watch {EXCESS_WATCH}, red {EXCESS_RED} with another sign; {used.source}", excess > EXCESS_WATCH),
        Rule("R_free above its lowest", f"{row.r_free_rise:+.4f} ± {row.r_free_rise_sigma:.4f}, cycle {lowest.cycle}",
             f"{RISE_WATCH} sigma and {SMALL_RISE}, while R_work falls", r_rise > RISE_WATCH and falls),
        Rule("Free -LL above its best", f"{row.ll_free_rise:+.4f} ± {row.ll_free_rise_sigma:.4f}, cycle {best.cycle}",
             f"{RISE_WATCH} sigma and {SMALL_LL_RISE}", ll_rise > RISE_WATCH),
        Rule("Exchange rate dR_free/|dR_work|", "-" if math.isnan(exchange) else f"{exchange:.2f} over five cycles",
             f"{EXCHANGE}, with the gap beyond {limit:.2f}", exchange < EXCHANGE and gap > limit),
        Rule("Bonds, rms Z", f"{bonds:.2f}", f"watch {BONDS_WATCH}, red {BONDS_RED} with too much freedom",
             bonds > BONDS_WATCH),
        Rule("PDB-REDO's rule", f"z {(rough.ratio - row.r_free / max(row.r_work, 1e-9)) / rough.spread:+.1f}",
             f"for information; {rough.source}{'' if rough.in_range else ', outside its range 3 to 35'}", False),
    )  # fmt: skip
    signs = (gap > limit, r_rise > RISE_RED, ll_rise > RISE_RED, bonds > BONDS_RED)
    loose = excess > EXCESS_RED and any(signs)
    if rests and z < -Z_RED and gap < 0.5 * usual_gap(context.d_min):
        sentence = f"R_free is closer to R_work than these data allow ({-z:.1f} sigma): it may not be independent."
        remedy = "Check where the free set comes from; shake the model, reset its B and refine again."
        return _verdict("test set", sentence, remedy, history, rules, expected_gap, sigma)
    none = NO_GAP * start.r_work * max(reference.ratio - 1.0, 0.0) if not context.cut else 0.0
    no_gap = start.r_free - start.r_work < (none if math.isfinite(none) else 0.0)
    if no_gap and best is start and ll_rise > RISE_RED and excess <= EXCESS_WATCH:
        where = "below" if start.r_free < start.r_work else "hardly above"
        sentence = (
            f"R_free began {where} R_work and rises as soon as the model is refined: the set is not the model's own."
        )
        remedy = "Choose the set the model was refined with, or shake it, reset its B and refine again."
        return _verdict("test set", sentence, remedy, history, rules, expected_gap, sigma)
    back = f"go back to cycle {best.cycle}" if best.cycle < row.cycle else "refine again"
    loose = loose and done >= LOOSE_CYCLES and _one_weight(history)
    if loose or (rests and z > Z_RED and gap > limit):
        if loose:
            more = row.effective_parameters / max(row.reference_parameters, 1.0)
            sentence = f"Fits noise: {more:.1f} times the freedom that is due."
            remedy = f"Give the data less weight (automatic is {row.automatic_weight:.3g}) or restraints more; {back}."
        else:
            sentence = f"The gap of {gap:.3f} is {z:.1f} sigma wider than these data allow."
            remedy = f"Fewer parameters, less data weight, or jelly-body restraints; {back}."
        return _verdict("overfitting", sentence, remedy, history, rules, expected_gap, sigma)
    watch = _watch_sentence(row, z, excess, r_rise if falls else 0.0, ll_rise, exchange, gap, limit, bonds)
    if watch:
        remedy = f"Less data weight (automatic is {row.automatic_weight:.3g}); {back}."
        return _verdict("watch", watch, remedy, history, rules, expected_gap, sigma)
    if not rests:
        return _verdict("not settled", "R_work is still moving; nothing speaks against the run.", "", history, rules,
                        expected_gap, sigma)  # fmt: skip
    few = f" The test set is small ({row.n_free}): k-fold would tell more." if row.n_free < FEW_TEST else ""
    how = "narrower than" if z < -Z_WATCH else "what"
    sentence = f"The gap of {gap:.3f} is {how} these data lead one to expect ({expected_gap:.3f} ± {sigma:.3f}).{few}"
    return _verdict("healthy", sentence, "", history, rules, expected_gap, sigma)


_NONE = (math.nan, math.nan)
_TITLES: dict[State, str] = {
    "waiting": "Waiting",
    "not settled": "Not yet settled",
    "healthy": "Healthy",
    "watch": "Watch",
    "overfitting": "Overfitting",
    "test set": "Test set suspect",
    "twinned": "Data look twinned",
}


def _verdict(
    state: State,
    sentence: str,
    remedy: str,
    history: Sequence[CycleStatistics],
    rules: tuple[Rule, ...],
    expected_gap: float,
    sigma: float,
) -> Verdict:
    row = history[-1] if history else None
    gap = row.r_free - row.r_work if row is not None else math.nan
    best = min(history, key=lambda r: r.ll_free if math.isfinite(r.ll_free) else r.ll_work).cycle if history else 0
    cycle = row.cycle if row is not None else 0
    remedy = remedy[:1].upper() + remedy[1:]
    return Verdict(state, _TITLES[state], sentence, remedy, cycle, gap, expected_gap, sigma, best, rules)


def _suspicious_start(history: Sequence[CycleStatistics], ratio: float, cut: bool) -> Rule | None:
    """Why the test set cannot be the model's own, from the start of the run; ratio: expected R_free / R_work.

    A model that was refined before (R_work of the start is hardly above what the run reaches) must bring a gap along;
    one that comes from elsewhere has none, and R_free may be below R_work by chance. How wide a gap is not known where
    the data were cut after it was refined.
    """
    start, lowest = history[0], min(row.r_work for row in history)
    gap, sampling = start.r_free - start.r_work, _sampling_error(start)
    if gap < -Z_RED * sampling:
        return _below(start)
    refined = history[-1].cycle - start.cycle >= FIRST and start.r_work <= REFINED * lowest
    if refined and not cut and math.isfinite(ratio):
        wanted = start.r_work * (ratio - 1.0)
        sigma = math.hypot(sampling, RATIO_SPREAD * start.r_work)
        if gap < NO_GAP * wanted and gap - wanted < -Z_RED * sigma:
            value = f"At the start R_free ({start.r_free:.3f}) exceeded R_work ({start.r_work:.3f}) by {gap:.3f} only"
            if gap < 0.0:
                value = f"At the start R_free ({start.r_free:.3f}) was below R_work ({start.r_work:.3f})"
            return Rule("Gap of the start", value, f"a refined model has about {wanted:.3f}, less {Z_RED} sigma", True)
    return None


def _sampling_error(row: CycleStatistics) -> float:
    """Of R_free: by bootstrap, else 0.87 R / sqrt(n) (the simulated constant is 0.83 to 0.91)."""
    if math.isfinite(row.r_free_sigma):
        return row.r_free_sigma
    return 0.87 * row.r_free / math.sqrt(max(row.n_free, 1))


def _below(row: CycleStatistics) -> Rule:
    value = f"R_free ({row.r_free:.3f}) is below R_work ({row.r_work:.3f})"
    return Rule("R_free below R_work", value, f"{Z_RED} sigma at the start; after five cycles, {Z_WATCH} sigma", True)


def _in_sigma(rise: float, sigma: float, smallest: float) -> float:
    if not (math.isfinite(rise) and math.isfinite(sigma)) or rise < smallest or sigma <= 0.0:
        return 0.0
    return rise / sigma


def _exchange(history: Sequence[CycleStatistics]) -> float:
    """Fall of R_free for each unit of fall of R_work over the last five cycles; NaN when R_work hardly fell."""
    recent = list(itertools.islice(reversed(history), 6))
    fall = recent[-1].r_work - recent[0].r_work
    if len(recent) < 6 or fall < EXCHANGE_FALL:
        return math.nan
    return (recent[-1].r_free - recent[0].r_free) / fall


def _watch_sentence(
    row: CycleStatistics, z: float, excess: float, r_rise: float, ll_rise: float, exchange: float, gap: float,
    limit: float, bonds: float,
) -> str:  # fmt: skip
    """The first reason to look twice, "" when there is none."""
    if excess > EXCESS_WATCH:
        more = row.effective_parameters / max(row.reference_parameters, 1.0)
        return f"The weights give {more:.1f} times the due freedom."
    if r_rise > RISE_WATCH:
        return f"R_free rose {row.r_free_rise:.3f} ± {row.r_free_rise_sigma:.3f} while R_work fell."
    if ll_rise > RISE_WATCH:
        return (
            f"The free likelihood has worsened by {row.ll_free_rise:.3f} ± {row.ll_free_rise_sigma:.3f} since its best."
        )
    if z > Z_WATCH:
        return f"The gap of {gap:.3f} is {z:.1f} sigma wider than expected."
    if exchange < EXCHANGE and gap > limit:
        return f"R_free follows R_work down by only {max(exchange, 0.0):.1f} of its fall, and the gap is {gap:.3f}."
    if bonds > BONDS_WATCH:
        return f"Bonds deviate more than they should (rms Z {bonds:.1f})."
    return ""
