"""The settings file: what was saved comes back; what is damaged is forgotten, not fatal."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.settings import DataOptions
from workbench.session.data_choice import DataChoice
from workbench.session.preferences import Preferences, load_preferences, preferences_path, save_preferences


def test_saved_preferences_come_back(tmp_path: Path) -> None:
    model, data = tmp_path / "m.pdb", tmp_path / "d.mtz"
    model.touch()
    data.touch()
    path = tmp_path / "new" / "preferences.json"
    saved = Preferences(theme="dark", layout=b"\x00\xff", geometry=b"abc", values={"map": 1.5}).opened(model, data)
    choice = DataChoice(("F", ""), "none", None, DataOptions(create_free=0.05, free_seed=3))
    saved = saved.opened(model, tmp_path / "d.mtz", (), choice)
    assert save_preferences(saved, path)
    assert load_preferences(path) == saved and load_preferences(path).recent[0].choice == choice
    assert [entry.name for entry in path.parent.iterdir()] == ["preferences.json"]


def test_recent_files_are_ten_newest_first_and_vanished_ones_go(tmp_path: Path) -> None:
    preferences = Preferences()
    data = tmp_path / "d.mtz"
    data.touch()
    for number in (*range(12), 5):
        model = tmp_path / f"m{number}.pdb"
        model.touch()
        preferences = preferences.opened(model, data)
    names = [Path(entry.model).name for entry in preferences.recent]
    assert names[:3] == ["m5.pdb", "m11.pdb", "m10.pdb"] and len(names) == 10 and len(set(names)) == 10
    path = tmp_path / "preferences.json"
    assert save_preferences(preferences, path)
    (tmp_path / "m11.pdb").unlink()
    assert [Path(e.model).name for e in load_preferences(path).recent][:2] == ["m5.pdb", "m10.pdb"]


@given(text=st.one_of(st.text(), st.sampled_from(["[]", "null", '{"recent": 3, "theme": [], "layout": "***"}'])))
def test_a_damaged_file_gives_the_defaults(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("preferences") / "preferences.json"
    path.write_text(text, encoding="utf-8", errors="replace")
    assert load_preferences(path) == Preferences()


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WORKBENCH_CONFIG_DIR", str(tmp_path / "file" / "below"))
    assert not save_preferences(Preferences(), preferences_path())
    assert load_preferences() == Preferences()
