"""One data set: scale, sigma_A, R factors, log-likelihood and their derivatives for a model's structure factors.

F_model = F_atoms + k_mask F_mask is on the absolute scale (electrons) and F_obs ~ k_total |F_model|. Inside the
likelihood what was measured is divided by k_total (intensities by its square); the log-likelihoods that are reported
are those of F_obs, or I_obs, as the file has it (ln k_total is added once, or twice), so that states with different
scales can be compared. Scale, R factors and what is improbable are those of the amplitudes in either case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from workbench.core.crystal import Reflections
from workbench.core.events import ScaledFactors, ShellTable
from workbench.engine.xray.improbable import delta, largest_delta
from workbench.engine.xray.intensity_scale import intensity_scale
from workbench.engine.xray.likelihood import Likelihood, negative_log_likelihood, total_variance
from workbench.engine.xray.observed import ModelTerms, Observed
from workbench.engine.xray.r_factors import r_factor, r_factor_by_bin
from workbench.engine.xray.reflection_geometry import reflection_geometry
from workbench.engine.xray.scaling import Scale, Scaler, reciprocal_vectors
from workbench.engine.xray.sigma_a import SigmaA, estimate_sigma_a

_SMALLEST_AMPLITUDE = 1e-9


@dataclass(frozen=True, eq=False)
class FittedData:
    """A model's factors fitted to a data set. n observed rows, m reflections.

    scale, sigma_a: the fitted functions. factors: what leaves the engine (m rows). r_work, r_free: over every observed
    reflection (r_free NaN without a test set). improbable: (n,) outliers (`DataSet.fit`). ll_work, ll_free: mean
    -log p(F_obs), or p(I_obs), of the reflections that Wilson's distribution allows, no more for any than where a
    reflection becomes improbable. ll: (n,) what these are the means of, 0 where not allowed. k_total, k_mask, sigma_d,
    sigma_s: (n,) the functions at the observed rows, which `DataSet.target` keeps fixed. k_likelihood: (n,) the scale
    inside the likelihood, of amplitudes k_total (`intensity_scale`).
    """

    scale: Scale
    sigma_a: SigmaA
    factors: ScaledFactors
    r_work: float
    r_free: float
    ll_work: float
    ll_free: float
    n_work: int
    n_free: int
    ll: FloatArray
    k_total: FloatArray
    k_mask: FloatArray
    sigma_d: FloatArray
    sigma_s: FloatArray
    improbable: BoolArray
    k_likelihood: FloatArray


class DataSet:
    """What was observed, arranged for one list of reflections, with everything that no model changes."""

    def __init__(
        self,
        reflections: Reflections,
        hkl: IntArray,
        observed: IntArray,
        too_strong: BoolArray | None = None,
        intensities: bool = False,
    ) -> None:
        """hkl: (m, 3) every reflection to d_min. observed: (m,) row of `reflections` or -1. too_strong: rows of
        `reflections` that are outliers whatever the model. intensities: whose likelihood it is, where there are any."""
        self.hkl = np.ascontiguousarray(hkl, dtype=np.int32)
        self.rows = np.flatnonzero(observed >= 0)
        taken = observed[self.rows]
        self.f_obs = np.asarray(reflections.f_obs[taken], dtype=np.float64)
        self.sigma = np.asarray(reflections.sigma[taken], dtype=np.float64)
        self.measured = Observed(self.f_obs, self.sigma)
        if intensities and reflections.intensity is not None and reflections.sigma_intensity is not None:
            self.measured = Observed(
                self.f_obs, self.sigma, reflections.intensity[taken], reflections.sigma_intensity[taken]
            )
        self.free = np.asarray(reflections.free[taken], dtype=np.bool_)
        self.work = ~self.free
        self.too_strong: BoolArray = (
            np.zeros(len(self.rows), dtype=np.bool_) if too_strong is None else np.asarray(too_strong[taken])
        )
        self._largest_delta = largest_delta(len(self.rows))
        self.has_free = bool(reflections.has_free and np.any(self.free))
        self.crystal = reflections.crystal
        self.geometry = reflection_geometry(self.crystal, self.hkl)
        self.epsilon = self.geometry.epsilon[self.rows]
        self.centric: BoolArray = self.geometry.centric[self.rows]
        self.d_star_sq = self.geometry.d_star_sq[self.rows]
        self._s = reciprocal_vectors(self.crystal, self.hkl)
        self._scaler = Scaler(self.crystal, self.hkl[self.rows], self.f_obs, self.sigma, self.free)
        self.bins = self._scaler.bins
        self._bin = self.bins.index(self.d_star_sq)
        self._count_work = np.bincount(self._bin[self.work], minlength=len(self.bins)).astype(np.int32)
        self._count_free = np.bincount(self._bin[self.free], minlength=len(self.bins)).astype(np.int32)

    @property
    def n_work(self) -> int:
        return int(np.sum(self.work))

    @property
    def n_free(self) -> int:
        return int(np.sum(self.free))

    def fit(
        self,
        f_atoms: ComplexArray,
        f_mask: ComplexArray,
        previous: FittedData | None = None,
        sigma_a: SigmaA | None = None,
    ) -> FittedData:
        """Fit scale, solvent and sigma_A to F_atoms (m,) and F_mask (m,), electrons; then every statistic.

        previous: the fit of a similar model, where the search starts from. sigma_a: that of a model so similar that
        no other is estimated.

        Outliers are those that are too strong for any model, and those that this one makes improbable. sigma_A is
        estimated without those of `previous`; of the first model a second time when it has any.
        """
        scale = self._scaler.fit(f_atoms[self.rows], f_mask[self.rows], previous.scale if previous else None)
        k_total = scale.k_total_at(self._s)
        k_mask = scale.k_mask_at(self.geometry.d_star_sq)
        f_model = f_atoms + k_mask * f_mask
        amplitude = np.maximum(np.abs(f_model[self.rows]), _SMALLEST_AMPLITUDE)
        k = k_total[self.rows]
        apart = self._scale_of_intensities(k, amplitude)
        within = k if apart is None else k * apart[self.rows]
        observed = self.measured.divided_by(within)
        if sigma_a is None:
            known = previous.improbable if previous else self.too_strong
            sigma_a = self._sigma_a(observed, amplitude, ~known, previous.sigma_a if previous else None)
            if previous is None:
                d, s = sigma_a.d_at(self.d_star_sq), sigma_a.s_at(self.d_star_sq)
                _, _, off = self._likelihood(observed, amplitude, d, s)
                found = known | (off > self._largest_delta)
                if np.any(found & ~known):
                    sigma_a = self._sigma_a(observed, amplitude, ~found, sigma_a)
        sigma_d_all = sigma_a.d_at(self.geometry.d_star_sq)
        d, s = sigma_d_all[self.rows], sigma_a.s_at(self.d_star_sq)
        likelihood, ll, off = self._likelihood(observed, amplitude, d, s)
        ll += observed.log_volume(within)
        told = ~self.too_strong
        fom = np.zeros(len(self.hkl), dtype=np.float32)
        fom[self.rows] = likelihood.fom
        scaled = k * amplitude
        factors = ScaledFactors(
            f_model=f_model.astype(np.complex64),
            k_total=k_total.astype(np.float32),
            fom=fom,
            # on the scale of the amplitudes, which maps are made of
            sigma_d=(sigma_d_all if apart is None else np.minimum(sigma_d_all * apart, 1.0)).astype(np.float32),
            shells=self._shells(scale, sigma_a, scaled),
        )
        return FittedData(
            scale=scale,
            sigma_a=sigma_a,
            factors=factors,
            r_work=r_factor(self.f_obs, scaled, self.work),
            r_free=r_factor(self.f_obs, scaled, self.free) if self.has_free else float("nan"),
            ll_work=float(np.mean(ll[self.work & told])),
            ll_free=float(np.mean(ll[self.free & told])) if self.has_free else float("nan"),
            n_work=self.n_work,
            n_free=self.n_free,
            ll=np.where(told, ll, 0.0),
            k_total=k,
            k_mask=k_mask[self.rows],
            sigma_d=d,
            sigma_s=s,
            improbable=self.too_strong | (off > self._largest_delta),
            k_likelihood=within,
        )

    def _scale_of_intensities(self, k: FloatArray, amplitude: FloatArray) -> FloatArray | None:
        """(m,) by which the amplitudes behind the intensities are larger than k (n,) says; None for amplitudes."""
        intensity, sigma = self.measured.intensity, self.measured.sigma_intensity
        if intensity is None or sigma is None:
            return None
        used = self.work & np.isfinite(intensity) & ~self.too_strong
        model = (k[used] * amplitude[used]) ** 2
        ratio = intensity_scale(
            intensity[used],
            sigma[used],
            model,
            self.d_star_sq[used],
            self.epsilon[used],
            self.geometry.d_star_sq,
        )
        return np.asarray(np.sqrt(ratio))

    def _sigma_a(self, observed: Observed, amplitude: FloatArray, used: BoolArray, previous: SigmaA | None) -> SigmaA:
        free = self.free[used]
        return estimate_sigma_a(
            observed.take(used), amplitude[used], self.d_star_sq[used], self.epsilon[used], self.centric[used],
            free, self.has_free and bool(np.any(free)), previous,
        )  # fmt: skip

    def _likelihood(
        self, observed: Observed, amplitude: FloatArray, d: FloatArray, s: FloatArray
    ) -> tuple[Likelihood, FloatArray, FloatArray]:
        """The likelihood; -log p, no larger than where a reflection becomes improbable; and delta (`improbable`)."""
        likelihood = observed.likelihood(ModelTerms(amplitude, d, s, self.epsilon, self.centric))
        variance = total_variance(observed.sigma, s, self.epsilon, self.centric)
        by_amplitude = likelihood.ll
        if observed.intensity is not None:
            by_amplitude = negative_log_likelihood(
                observed.f, observed.sigma, amplitude, d, s, self.epsilon, self.centric
            )
        off = delta(by_amplitude, observed.f, d * amplitude, variance, self.centric)
        return likelihood, likelihood.ll - np.maximum(off - self._largest_delta, 0.0), off

    def target(
        self, f_atoms: ComplexArray, f_mask: ComplexArray, fitted: FittedData
    ) -> tuple[float, ComplexArray, FloatArray]:
        """T = sum over the work set of -log p, with scale, solvent scale, D, S and outliers (left out) as in
        `fitted`.

        Returns T; c (m,) = dT/dA + i dT/dB with A + iB = F_atoms (0 where not work); w (m,) >= 0, the expected second
        derivative of T with respect to |F_model| (0 where not work).
        """
        f_model, amplitude = self._model(f_atoms, f_mask, fitted)
        likelihood = self.measured.divided_by(fitted.k_likelihood).likelihood(
            ModelTerms(amplitude, fitted.sigma_d, fitted.sigma_s, self.epsilon, self.centric)
        )
        used = self.work & ~fitted.improbable
        value = float(np.sum((likelihood.ll + self.measured.log_volume(fitted.k_likelihood))[used]))
        coefficients = np.zeros(len(self.hkl), dtype=np.complex128)
        coefficients[self.rows] = np.where(used, likelihood.d1 / amplitude, 0.0) * f_model
        curvature = np.zeros(len(self.hkl))
        curvature[self.rows] = np.where(used, likelihood.d2, 0.0)
        return value, coefficients, curvature

    def value(self, f_atoms: ComplexArray, f_mask: ComplexArray, fitted: FittedData) -> float:
        """Only the T of `target`: what a trial step costs."""
        _, amplitude = self._model(f_atoms, f_mask, fitted)
        return float(np.sum(self._negative_log(amplitude, fitted, self.work & ~fitted.improbable)))

    def free_log_likelihood(self, f_atoms: ComplexArray, f_mask: ComplexArray, fitted: FittedData) -> FloatArray:
        """-log p of every test reflection that is no outlier, with scale, solvent scale, D and S as in
        `fitted`."""
        _, amplitude = self._model(f_atoms, f_mask, fitted)
        return self._negative_log(amplitude, fitted, self.free & ~fitted.improbable)

    def _negative_log(self, amplitude: FloatArray, fitted: FittedData, rows: BoolArray) -> FloatArray:
        """-log p of what was measured, of some rows."""
        k, observed = fitted.k_likelihood[rows], self.measured.take(rows)
        terms = ModelTerms(
            amplitude[rows], fitted.sigma_d[rows], fitted.sigma_s[rows], self.epsilon[rows], self.centric[rows]
        )
        return np.asarray(observed.divided_by(k).negative_log(terms) + observed.log_volume(k))

    def _model(
        self, f_atoms: ComplexArray, f_mask: ComplexArray, fitted: FittedData
    ) -> tuple[ComplexArray, FloatArray]:
        f_model = f_atoms[self.rows] + fitted.k_mask * f_mask[self.rows]
        return f_model, np.maximum(np.abs(f_model), _SMALLEST_AMPLITUDE)

    def _shells(self, scale: Scale, sigma_a: SigmaA, scaled: FloatArray) -> ShellTable:
        centres = self.bins.centres
        work, free, bins = self.work, self.free, len(self.bins)
        return ShellTable(
            d_max=self.bins.d_max,
            d_min=self.bins.d_min,
            n_work=self._count_work,
            n_free=self._count_free,
            k_iso=scale.k_iso(centres),
            k_mask=scale.k_mask_at(centres),
            sigma_d=sigma_a.d_at(centres),
            sigma_s=sigma_a.s_at(centres),
            r_work=r_factor_by_bin(self.f_obs[work], scaled[work], self._bin[work], bins),
            r_free=r_factor_by_bin(self.f_obs[free], scaled[free], self._bin[free], bins),
            u_aniso=scale.u_aniso,
        )
