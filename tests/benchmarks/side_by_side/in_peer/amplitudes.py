"""Scaled |F_model| of models against one data file: python amplitudes.py DATA.mtz OUT.npz NAME=MODEL ...

Run in the peer's environment (cctbx; gemmi is not imported). Bulk solvent and scale by mmtbx's fast method
(f_model.update_all_scales, no outlier dropped), for each model by itself; test set = FREE 0. The arrays of OUT.npz
stand in the order of the data file: hkl, d, f_obs, sigma, free, epsilon, centric, and NAME (scaled |F_model|).
Prints R factors and Ramachandran counts as JSON.
"""

import json
import sys
import warnings

import iotbx.pdb
import mmtbx.f_model
import numpy as np
from cctbx.array_family import flex
from iotbx import reflection_file_reader

warnings.filterwarnings("ignore")


def ramachandran(hierarchy):
    try:
        from mmtbx.validation import ramalyze

        found = ramalyze.ramalyze(pdb_hierarchy=hierarchy, outliers_only=False)
        return {"outliers": int(found.n_outliers), "favored": int(found.n_favored), "residues": int(found.n_total)}
    except Exception as error:
        return {"error": repr(error)[:200]}


def main(data, out, models):
    arrays = reflection_file_reader.any_reflection_file(data).as_miller_arrays()
    f = next(a for a in arrays if a.info().labels[0] == "FP").set_observation_type_xray_amplitude()
    flags = next(a for a in arrays if a.info().labels[0] == "FREE")
    f, flags = f.map_to_asu().common_sets(flags.map_to_asu())
    free = flags.customized_copy(data=flags.data() == 0)
    columns = {
        "hkl": np.array(list(f.indices()), dtype=np.int32),
        "d": np.array(f.d_spacings().data()),
        "f_obs": np.array(f.data()),
        "sigma": np.array(f.sigmas()),
        "free": np.array(list(free.data()), dtype=bool),
        "epsilon": np.array(list(f.epsilons().data()), dtype=float),
        "centric": np.array(list(f.centric_flags().data()), dtype=bool),
    }
    told = {"n_obs": int(f.size()), "n_test": int(columns["free"].sum()), "d_min": float(f.d_min())}
    for name, path in (word.split("=", 1) for word in models):
        read = iotbx.pdb.input(path)
        structure = read.xray_structure_simple(crystal_symmetry=f.crystal_symmetry())
        structure.scattering_type_registry(table="n_gaussian", d_min=f.d_min())
        manager = mmtbx.f_model.manager(f_obs=f, r_free_flags=free, xray_structure=structure)
        manager.update_all_scales(remove_outliers=False)
        if not (manager.f_obs().indices() == f.indices()).all_eq(True):
            raise RuntimeError(f"{path}: reflections in another order than those observed")
        # mmtbx multiplies F_obs by a constant and gives work and test reflections a scale each; back to the data's.
        constant = flex.sum(manager.f_obs().data()) / flex.sum(f.data())
        k1 = np.where(columns["free"], manager.scale_k1_t(), manager.scale_k1_w())
        columns[name] = k1 * np.array(flex.abs(manager.f_model().data())) / constant
        told[name] = {
            "r_work": float(manager.r_work()), "r_free": float(manager.r_free()),
            "ramachandran": ramachandran(read.construct_hierarchy()),
        }  # fmt: skip
    np.savez_compressed(out, **columns)
    print(json.dumps(told))


main(sys.argv[1], sys.argv[2], sys.argv[3:])
