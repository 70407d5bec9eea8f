"""Fetching entries from a server on loopback that serves real files well and badly. No test asks the outer network."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archive_server import CODE, Archive, archive_server
from workbench import launch
from workbench.core.errors import InputError, SettingsError
from workbench.io.fetch import (
    PARTS,
    SITES,
    Cancelled,
    Progress,
    Site,
    archive,
    cache_folder,
    chosen_sites,
    entry_code,
    fetch,
)
from workbench.io.models import read_model
from workbench.io.reflections import read_reflections


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "served"
    folder.mkdir()
    with archive_server(folder) as running:
        yield running


def site(server: Archive, behaviour: str) -> Site:
    return archive(behaviour, f"{server.address}/{behaviour}")


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nothing_left(tmp_path: Path) -> bool:
    return not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_both_files_are_fetched_and_open(server: Archive) -> None:
    model, data = (fetch("5E5Z", part, sites=(site(server, "ok"),)) for part in PARTS)
    assert len(read_model(str(model.path))) == 47
    assert len(read_reflections(str(data.path))) == 403
    assert model.site == "ok" and not model.cached
    assert server.asked[0] == f"/ok/pub/pdb/data/structures/divided/mmCIF/e5/{CODE}.cif.gz"


def test_what_was_fetched_is_not_asked_for_again(server: Archive) -> None:
    first = fetch(CODE, "model", sites=(site(server, "ok"),))
    again = fetch(CODE, "model", sites=(site(server, "drop"),))
    assert again.cached and again.path == first.path and len(server.asked) == 1
    fetch(CODE, "model", sites=(site(server, "ok"),), refresh=True)
    assert len(server.asked) == 2
    # a file that was changed is not what was kept
    first.path.write_bytes(b"data_x")
    assert not fetch(CODE, "model", sites=(site(server, "ok"),)).cached
    assert len(read_model(str(first.path))) == 47


FAULTS = {
    "cut": "bytes came",
    "short": "damaged",
    "damaged": "damaged",
    "empty": "holds no model",
    "wrong": "holds no model",
    "page": "web page",
    "refuse": "403",
    "broken": "503",
    "loop": "loop: it redirects in a circle, or too often.",
    "file": "not allowed",
    "drop": "connection broke",
    "stall": "nothing came",
}


@pytest.mark.parametrize("behaviour", FAULTS)
def test_a_bad_site_is_passed_over(server: Archive, tmp_path: Path, behaviour: str) -> None:
    with pytest.raises(InputError) as found:
        fetch(CODE, "model", sites=(site(server, behaviour),), patience=0.5)
    assert behaviour in found.value.message and FAULTS[behaviour] in found.value.message
    assert found.value.remedy and nothing_left(tmp_path)
    got = fetch(CODE, "model", sites=(site(server, behaviour), site(server, "ok")), patience=0.5)
    assert got.site == "ok" and len(read_model(str(got.path))) == 47


def test_slow_sites_and_redirects_are_followed(server: Archive) -> None:
    """It takes longer than anyone waits for one answer, but something always comes."""
    told: list[Progress] = []
    fetch(CODE, "model", sites=(site(server, "slow"),), tell=told.append, patience=1.0)
    counts = [each.received for each in told if each.total]
    assert len(counts) > 2 and counts == sorted(counts) and counts[-1] == told[-1].total
    assert fetch(CODE, "data", sites=(site(server, "redirect"),)).site == "redirect"


@pytest.mark.parametrize("cut", [False, True])
def test_plain_text_is_parsed_before_it_is_believed(server: Archive, cut: bool) -> None:
    behaviour = "short" if cut else "ok"
    plain = Site("plain", server.address + f"/{behaviour}/{{code}}.cif", server.address + "/ok/r{code}sf.ent")
    if cut:
        with pytest.raises(InputError, match="damaged"):
            fetch(CODE, "model", sites=(plain,))
        return
    path = fetch(CODE, "model", sites=(plain,)).path
    assert gzip.decompress(path.read_bytes()) == server.files[f"{CODE}.cif"]


def test_entries_that_are_not_there(server: Archive) -> None:
    with pytest.raises(InputError, match="no site has an entry 9zzz") as found:
        fetch("9ZZZ", "model", sites=(site(server, "ok"), site(server, "gone")))
    assert "obsolete" in found.value.remedy
    with pytest.raises(InputError, match="has no structure factors") as found:
        fetch(CODE, "data", sites=(site(server, "gone"),))
    assert "diffraction" in found.value.remedy


def test_without_a_network(server: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = archive("dead", f"http://127.0.0.1:{closed_port()}")
    unknown = archive("unknown", "http://nowhere.invalid")
    with pytest.raises(InputError, match="no site can be reached") as found:
        fetch(CODE, "model", sites=(dead, unknown), patience=2.0)
    assert "Check the network" in found.value.remedy and "files fetched elsewhere" in found.value.remedy
    # what is in the cache needs no network
    fetch(CODE, "model", sites=(site(server, "ok"),))
    assert fetch(CODE, "model", sites=(dead,)).cached


def test_what_is_said_of_the_proxy(server: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts that need no proxy are none themselves, and the password of one is not told."""
    closed = f"127.0.0.1:{closed_port()}"
    for proxy, said in (("", "no site can be reached: "), (f"http://me:secret@{closed}", f"the proxy {closed})")):
        monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(InputError) as found:
            fetch(CODE, "model", sites=(archive("shut", f"http://{closed}"),))
        assert said in found.value.message and "secret" not in found.value.message


def test_the_proxy_is_asked(server: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.setenv("NO_PROXY", "")
    far = archive("far", "http://archive.invalid/ok")
    assert fetch(CODE, "model", sites=(far,)).site == "far"
    assert server.asked[-1].startswith("http://archive.invalid/ok/pub/pdb/")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(InputError, match=r"through the proxy 127\.0\.0\.1"):
        fetch(CODE, "model", sites=(far,), refresh=True)


def test_cancelling_leaves_nothing(server: Archive, tmp_path: Path) -> None:
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        fetch(CODE, "model", sites=(site(server, "slow"),), tell=seen.append, wanted=lambda: len(seen) < 3)
    assert len(seen) == 3 and nothing_left(tmp_path)


@pytest.mark.parametrize("text", ["1abc", " 1ABC ", "pdb_00001abc", "PDB_00001ABC"])
def test_codes(text: str) -> None:
    assert entry_code(text) == "1abc"


@pytest.mark.parametrize("text", ["", "abcd", "12345", "../1abc", "1ab/", "https://x", "pdb_1"])
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(SettingsError):
        entry_code(text)


def test_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen_sites() == SITES and len(SITES) >= 3 and all(s.model.startswith("https://") for s in SITES)
    monkeypatch.setenv("WORKBENCH_PDB_MIRROR", "https://pdb.example.org/copy/")
    assert chosen_sites()[0].model.startswith("https://pdb.example.org/copy/pub/pdb/")
    with pytest.raises(SettingsError):
        chosen_sites("ftp://somewhere")


def test_command(server: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fetch", "5E5Z", "--mirror", f"{server.address}/ok", "--output", str(tmp_path / "out")]
    assert launch.main(words) == 0
    out = capsys.readouterr().out
    assert f"workbench refine {tmp_path / 'out' / '5e5z.cif.gz'}" in out
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["5e5z-sf.cif.gz", "5e5z.cif.gz"]
    # again: from the cache, onto the same files
    asked = len(server.asked)
    assert launch.main(words) == 0 and len(server.asked) == asked
    assert "kept from an earlier time" in capsys.readouterr().out
    # another file in the way is not overwritten
    (tmp_path / "out" / "5e5z.cif.gz").write_bytes(b"mine")
    assert launch.main(words) == 1
    assert "nothing is overwritten" in capsys.readouterr().err
    assert (tmp_path / "out" / "5e5z.cif.gz").read_bytes() == b"mine"


def test_command_without_structure_factors(server: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del server.files[f"r{CODE}sf.ent.gz"]
    words = ["fetch", CODE, "--mirror", f"{server.address}/ok", "--output", str(tmp_path / "out")]
    assert launch.main(words) == 1
    assert "has no structure factors" in capsys.readouterr().err and not (tmp_path / "out").exists()
    assert launch.main([*words, "--only", "model"]) == 0
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["5e5z.cif.gz"]


def test_a_cache_that_cannot_be_written(server: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path / "blocked"))
    assert cache_folder().parent == tmp_path / "blocked"
    with pytest.raises(SettingsError, match="cannot be kept"):
        fetch(CODE, "model", sites=(site(server, "ok"),))
