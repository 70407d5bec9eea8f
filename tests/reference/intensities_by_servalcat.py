"""Reference: the likelihood of intensities as servalcat computes it.

    python tests/reference/intensities_by_servalcat.py

with servalcat 0.4.142 and numpy; nothing of the program takes part. Writes intensities_by_servalcat.json beside this
script: reflections drawn over six decades of noise, strong, weak and negative ones. servalcat leaves out what does not
depend on the model, so that only differences compare: `change` is -log p of (d, s) less that of (d2, s2), `by_d` and
`by_s` are the derivatives of -log p.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

RESULT = Path(__file__).with_name("intensities_by_servalcat.json")
COUNT = 200


def rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.12g}") for value in values]


def main() -> None:
    import servalcat
    from servalcat.xtal.sigmaa import integr

    rng = np.random.default_rng(7)
    centric = rng.random(COUNT) < 0.4
    epsilon = rng.choice([1.0, 2.0, 4.0], COUNT)
    s = np.exp(rng.uniform(2.0, 6.0, COUNT))
    f_model = np.sqrt(s) * rng.choice([0.05, 0.5, 1.5, 4.0, 12.0], COUNT) * rng.uniform(0.7, 1.4, COUNT)
    d = rng.uniform(0.3, 0.98, COUNT)
    sigma = np.exp(rng.uniform(np.log(1e-3), np.log(1e3), COUNT)) * (s + f_model * np.sqrt(s))
    part = rng.normal(size=(2, COUNT)) * np.sqrt(epsilon * s * np.where(centric, 1.0, 0.5))
    true = np.hypot(d * f_model + part[0], np.where(centric, 0.0, part[1]))
    i_obs = true**2 + sigma * rng.normal(size=COUNT) * rng.choice([1.0, 6.0], COUNT)
    d2, s2 = 0.6 * d, 1.5 * s
    one = np.ones(COUNT)
    c = centric.astype(int) + 1

    def ll(by_d: np.ndarray, by_s: np.ndarray) -> np.ndarray:
        return np.asarray(integr.ll_int(i_obs, sigma, one, by_s * epsilon, by_d * f_model, c, one))

    slopes = np.array(
        [
            np.asarray(
                integr.ll_int_der1_DS(
                    i_obs[k : k + 1],
                    sigma[k : k + 1],
                    one[:1],
                    s[k],
                    f_model[k : k + 1, None].astype(complex),
                    [d[k]],
                    c[k : k + 1],
                    epsilon[k : k + 1],
                    one[:1],
                )
            )[0]
            for k in range(COUNT)
        ]
    )
    columns = {
        "i_obs": i_obs, "sigma": sigma, "f_model": f_model, "d": d, "s": s, "epsilon": epsilon, "centric": centric,
        "d2": d2, "s2": s2, "change": ll(d, s) - ll(d2, s2), "by_d": slopes[:, 0], "by_s": slopes[:, 1],
    }  # fmt: skip
    document = {"servalcat": servalcat.__version__, **{name: rounded(each) for name, each in columns.items()}}
    RESULT.write_text(json.dumps(document, indent=0))


if __name__ == "__main__":
    main()
