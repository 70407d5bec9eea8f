"""Model and structure factors of a PDB entry from the sites of the wwPDB; the only module that opens a socket.

The sites are asked in turn until one gives a file that is whole and holds what it should. What was fetched is kept,
with its checksum, and not asked for again. Proxies are those of the system and of HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal
from urllib.parse import urlsplit

import platformdirs

from workbench.core.errors import InputError, SettingsError
from workbench.io.files import LARGEST_CONTENT

Part = Literal["model", "data"]
PARTS: tuple[Part, ...] = ("model", "data")
_HOLDS = {"model": b"_atom_site.", "data": b"_refln."}
_WORDS = {"model": "model", "data": "structure factors"}
_CHUNK = 1 << 16
PATIENCE = 20.0
"""Seconds without a byte after which a site is given up."""
LONGEST = 600.0
"""Seconds that one file may take."""


@dataclass(frozen=True)
class Site:
    """A place to fetch from. model, data: addresses, with {code} and {middle} (its second and third character)."""

    name: str
    model: str
    data: str


def archive(name: str, base: str) -> Site:
    """A copy of the wwPDB's archive in its own layout."""
    base = base.rstrip("/")
    return Site(
        name,
        f"{base}/pub/pdb/data/structures/divided/mmCIF/{{middle}}/{{code}}.cif.gz",
        f"{base}/pub/pdb/data/structures/divided/structure_factors/{{middle}}/r{{code}}sf.ent.gz",
    )


SITES = (
    Site(
        "RCSB PDB",
        "https://files.rcsb.org/download/{code}.cif.gz",
        "https://files.rcsb.org/download/{code}-sf.cif.gz",
    ),
    Site(
        "PDBe",
        "https://www.ebi.ac.uk/pdbe/entry-files/download/{code}.cif",
        "https://www.ebi.ac.uk/pdbe/entry-files/download/r{code}sf.ent",
    ),
    archive("wwPDB", "https://files.wwpdb.org"),
    archive("PDBj", "https://files.pdbj.org"),
)


def chosen_sites(mirror: str = "") -> tuple[Site, ...]:
    """The sites to ask: a mirror of the archive that the user names (or $WORKBENCH_PDB_MIRROR), else all known ones."""
    base = mirror or os.environ.get("WORKBENCH_PDB_MIRROR", "")
    if not base:
        return SITES
    if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).netloc:
        raise SettingsError(f"the mirror {base!r} is not a web address.", remedy="Write https://host/path.")
    return (archive(urlsplit(base).netloc, base),)


@dataclass(frozen=True)
class Progress:
    """text: what is being fetched from where. received, total: bytes (total 0: the site does not say)."""

    text: str
    received: int = 0
    total: int = 0


class Cancelled(Exception):
    """The user no longer wants the files."""


@dataclass(frozen=True)
class Fetched:
    """path: of the file, in the cache. site: where it came from. cached: it was there already."""

    path: Path
    site: str
    cached: bool


class _NotThereError(Exception):
    """The site answers, and has no such file."""


class _SiteError(Exception):
    """The site gives no usable file; the words say why. offline: it could not even be reached."""

    def __init__(self, words: str, offline: bool = False) -> None:
        super().__init__(words)
        self.offline = offline


def entry_code(text: str) -> str:
    """'1ABC', ' 1abc ' or 'pdb_00001abc' as the archive writes it: '1abc'. Raises SettingsError."""
    code = text.strip().lower()
    if re.fullmatch(r"pdb_0000[0-9][a-z0-9]{3}", code):
        code = code[-4:]
    if not re.fullmatch(r"[0-9][a-z0-9]{3}|pdb_[a-z0-9]{8}", code):
        raise SettingsError(
            f"{text.strip()!r} is not the code of a PDB entry.", remedy="A code is a digit and three letters: 1ABC."
        )
    return code


def cache_folder() -> Path:
    """Where fetched files are kept; WORKBENCH_CACHE_DIR moves it."""
    named = os.environ.get("WORKBENCH_CACHE_DIR")
    base = Path(named) if named else Path(platformdirs.user_cache_dir("refinement-workbench", appauthor=False))
    return base / "entries"


def fetch(
    code: str,
    part: Part,
    *,
    sites: tuple[Site, ...] | None = None,
    folder: Path | None = None,
    refresh: bool = False,
    tell: Callable[[Progress], None] = lambda progress: None,
    wanted: Callable[[], bool] = lambda: True,
    patience: float = PATIENCE,
) -> Fetched:
    """One file of an entry, from the cache or from the first site that has it whole.

    tell: called as bytes arrive. wanted: asked as often; False raises `Cancelled` and leaves nothing behind.
    Raises SettingsError for what is no code, InputError where no site has the file or can be reached.
    """
    code = entry_code(code)
    kept = (folder or cache_folder()) / code
    if not refresh:
        found = _kept(kept, code, part)
        if found is not None:
            return found
    troubles: list[str] = []
    missing = offline = 0
    asked = chosen_sites() if sites is None else sites
    for site in asked:
        address = (site.model if part == "model" else site.data).format(code=code, middle=code[1:3])
        tell(Progress(f"{_WORDS[part]} of {code} from {site.name}"))
        try:
            data = _download(address, f"{_WORDS[part]} of {code} from {site.name}", tell, wanted, patience)
            _check(data, part)
        except _NotThereError:
            missing += 1
            troubles.append(f"{site.name}: no such file")
        except _SiteError as trouble:
            offline += trouble.offline
            troubles.append(f"{site.name}: {trouble}")
        else:
            return _keep(kept, code, part, data, site.name, address)
    raise _failure(code, part, troubles, missing, offline, len(asked))


def _failure(code: str, part: Part, troubles: list[str], missing: int, offline: int, asked: int) -> InputError:
    told = "; ".join(troubles)
    if missing and missing + offline == asked:
        if part == "model":
            return InputError(
                f"no site has an entry {code}.", item=code, remedy="Check the code; it may be obsolete or unreleased."
            )
        return InputError(
            f"entry {code} has no structure factors at any site.",
            item=code,
            remedy="It may not be a diffraction study, or its data were never deposited; ask for the model alone.",
        )
    if offline == asked:
        # "no" names the hosts that need none; what stands before an @ is a secret
        named = [value for scheme, value in urllib.request.getproxies().items() if scheme != "no"]
        proxies = sorted({(urlsplit(value).netloc or value).rpartition("@")[2] for value in named})
        through = f" (through the proxy {', '.join(proxies)})" if proxies else ""
        return InputError(
            f"no site can be reached{through}: {told}.",
            item=code,
            remedy="Check the network, or the proxy in HTTPS_PROXY; files fetched elsewhere open like any others.",
        )
    return InputError(
        f"the {_WORDS[part]} of {code} could not be fetched: {told}.", item=code, remedy="Try again later."
    )


# ---- the wire ---------------------------------------------------------------------------------------------------


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Redirects to web addresses only, and never from an encrypted connection to a plain one."""

    max_redirections = 5

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme != "https"):
            raise urllib.error.URLError(f"it redirects to {newurl}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(
    address: str, words: str, tell: Callable[[Progress], None], wanted: Callable[[], bool], patience: float
) -> bytes:
    opener = urllib.request.build_opener(_SafeRedirects)
    request = urllib.request.Request(address, headers={"User-Agent": "refinement-workbench"})
    began = time.monotonic()
    parts: list[bytes] = []
    received = 0
    if not wanted():
        raise Cancelled
    try:
        with opener.open(request, timeout=patience) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            while True:
                chunk = answer.read1(_CHUNK)
                if not chunk:
                    break
                parts.append(chunk)
                received += len(chunk)
                if not wanted():
                    raise Cancelled
                if received > LARGEST_CONTENT:
                    raise _SiteError("the file has no end")
                if time.monotonic() - began > LONGEST:
                    raise _SiteError("it is too slow")
                tell(Progress(words, received, total))
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (404, 410):
                raise _NotThereError from None
            if str(error.reason).startswith(_SafeRedirects.inf_msg):
                raise _SiteError("it redirects in a circle, or too often") from None
            if error.code in (301, 302, 303, 307, 308):
                raise _SiteError("it redirects to what is no web address, which is not allowed") from None
            raise _SiteError(f"it answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _unreachable(error.reason) from None
    except TimeoutError:
        raise _SiteError(f"nothing came for {patience:g} seconds") from None
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise _SiteError(f"the connection broke ({error or type(error).__name__})") from None
    if total and received != total:
        raise _SiteError(f"only {received} of {total} bytes came")
    return b"".join(parts)


def _unreachable(reason: object) -> _SiteError:
    if isinstance(reason, TimeoutError):
        return _SiteError("it does not answer", offline=True)
    if isinstance(reason, ssl.SSLError):
        return _SiteError(f"its certificate is not accepted ({reason.reason or reason})")
    if isinstance(reason, socket.gaierror):
        return _SiteError("its name is not known here", offline=True)
    if isinstance(reason, OSError):
        return _SiteError(reason.strerror or str(reason), offline=True)
    return _SiteError(str(reason))


def _check(data: bytes, part: Part) -> None:
    """The file is whole and holds what it should; a page that asks for a password is neither."""
    content = data
    if data[:2] == b"\x1f\x8b":
        try:
            member = zlib.decompressobj(wbits=31)
            content = member.decompress(data, LARGEST_CONTENT)
        except zlib.error:
            raise _SiteError("the file came damaged") from None
        if not member.eof:
            raise _SiteError("the file came damaged")
    if content[:512].lstrip()[:1] == b"<":
        raise _SiteError("it gave a web page, not the file")
    if _HOLDS[part] not in content or not content.lstrip()[:5].lower().startswith((b"data_", b"#")):
        raise _SiteError(f"the file holds no {_WORDS[part]}")
    if data is content:
        _parse(content)


def _parse(content: bytes) -> None:
    """Plain text has no checksum: whether it is whole only parsing tells."""
    from workbench.io.models import read_cif_document

    try:
        read_cif_document(content.decode("utf-8", "replace"), "")
    except InputError as error:
        raise _SiteError(f"the file came damaged ({error.message})") from None


# ---- the cache --------------------------------------------------------------------------------------------------


def _name(code: str, part: Part) -> str:
    return f"{code}.cif.gz" if part == "model" else f"{code}-sf.cif.gz"


def _kept(folder: Path, code: str, part: Part) -> Fetched | None:
    """The file of an earlier time, if it is what was kept then."""
    path = folder / _name(code, part)
    try:
        note = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        data = path.read_bytes()
    except (OSError, ValueError):
        return None
    if not isinstance(note, dict) or hashlib.sha256(data).hexdigest() != note.get("sha256"):
        return None
    return Fetched(path, str(note.get("site", "")), True)


def _keep(folder: Path, code: str, part: Part, data: bytes, site: str, address: str) -> Fetched:
    if data[:2] != b"\x1f\x8b":
        data = gzip.compress(data, 6, mtime=0)
    path = folder / _name(code, part)
    note = {"site": site, "address": address, "sha256": hashlib.sha256(data).hexdigest()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
        write_whole(path.with_suffix(".json"), json.dumps(note).encode())
    except OSError as error:
        raise SettingsError(
            f"the file cannot be kept ({error.strerror}).",
            file=str(folder),
            remedy="Make room, or name another folder in WORKBENCH_CACHE_DIR.",
        ) from None
    return Fetched(path, site, False)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".fetch-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
