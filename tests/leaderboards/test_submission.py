"""Submissions: what is packed is opened again, and nothing that a stranger may send does anything but be refused."""

import functools
import hashlib
import http.server
import io
import json
import random
import struct
import threading
import zipfile
import zlib

import pytest

from ludarium.envs.core.errors import MissingExtraError, SubmissionError
from ludarium.envs.core.trace import decode
from ludarium.leaderboards import keys
from ludarium.leaderboards.archive import Limits, pack_members
from ludarium.leaderboards.download import download
from ludarium.leaderboards.manifest import MAX_MANIFEST
from ludarium.leaderboards.submission import MANIFEST, SIGNATURE, SUMS, Submission, pack, seal


def contents(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {info.filename: file.read(info) for info in file.infolist()}


def resigned(content, key, order=None):
    """The members with fitting checksums and signature."""
    kept = {name: data for name, data in content.items() if name not in (SUMS, SIGNATURE)}
    listed = "".join(f"{hashlib.sha256(kept[name]).hexdigest()}  {name}\n" for name in sorted(kept)).encode()
    return {**kept, SUMS: listed, SIGNATURE: keys.sign(key, listed)}


@pytest.fixture(scope="module")
def honest(packed):
    return packed["pibt"].read_bytes()


@pytest.fixture(scope="module")
def rewritten(honest):
    """Members and manifest changed, then sealed by a key of our own."""
    key = keys.new_key()

    def rewrite(manifest=(), drop=(), raw=None, **members):
        content = contents(honest)
        said = {**json.loads(content[MANIFEST]), "public_key": keys.public_key(key), **dict(manifest)}
        content[MANIFEST] = (
            raw if raw is not None else json.dumps({k: v for k, v in said.items() if k not in drop}).encode()
        )
        return pack_members(resigned({**content, **members}, key))

    return rewrite


def test_what_is_packed_is_opened_again(packed, finished, tiny_track, honest):
    submission = Submission.open(packed["pibt"])
    said = submission.manifest
    assert (said.agent, said.name, said.kind, said.tier) == ("pibt", "pibt", "planner", "replayed")
    assert said.track == tiny_track.reference
    assert sorted(submission.episodes) == list(range(8))
    assert len(said.reported["wall_s"]) == 8
    assert not {"score", "metrics", "seed", "config"} & set(json.loads(contents(honest)[MANIFEST]))


def test_equal_runs_and_keys_give_equal_files(finished, tiny_track, tmp_path):
    key = keys.new_key()
    made = [pack(finished.root, tiny_track, name="me", agent="pibt", key=key, to=tmp_path / str(n)) for n in range(2)]
    assert made[0].read_bytes() == made[1].read_bytes()
    assert made[0].name == made[1].name


def test_the_kernels_are_those_that_played_and_a_bare_submission_names_none(finished, tiny_track, tmp_path, packed):
    said = Submission.open(packed["pibt"]).manifest
    assert "ludarium.agents.mapf.pibt" in said.kernels
    assert "ludarium.agents.uniform" not in said.kernels
    assert any(name.startswith("ludarium.envs.mapf") for name in said.kernels)
    path = pack(finished.root, tiny_track, name="me", agent="pibt", key=keys.new_key(), to=tmp_path, bare=True)
    submission = Submission.open(path)
    assert submission.manifest.reported == submission.manifest.kernels == {}
    headers = [decode(submission.read(name)).header for name in submission.episodes.values()]
    assert not any({"kernels", "ludarium"} & set(header) for header in headers)


def test_a_run_that_is_not_the_tracks_is_not_packed(finished, tiny_track, tmp_path):
    from ludarium.leaderboards.track import load_track

    key = keys.new_key()
    with pytest.raises(SubmissionError, match="play the track's scenario"):
        pack(finished.root, load_track("mapf-lifelong-quick"), name="me", agent="pibt", key=key, to=tmp_path)
    with pytest.raises(SubmissionError, match="which agent"):
        pack(finished.root, tiny_track, name="me", key=key, to=tmp_path)
    with pytest.raises(SubmissionError, match=r"expected one of|may not enter"):
        pack(finished.root, tiny_track, name="me", agent="pibt", kind="wizard", key=key, to=tmp_path)
    with pytest.raises(SubmissionError, match="printable"):
        pack(finished.root, tiny_track, name="two\nlines", agent="pibt", key=key, to=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_key_is_made_once_and_nobody_else_may_read_it(tmp_path):
    path = tmp_path / "deep" / "key"
    made = keys.load_key(path)
    assert path.stat().st_mode & 0o077 == 0
    assert keys.public_key(keys.load_key(path)) == keys.public_key(made)
    path.write_text("xyz")
    with pytest.raises(SubmissionError, match="64 hexadecimal digits"):
        keys.load_key(path)
    assert issubclass(MissingExtraError, ImportError)


# --- zip files ---------------------------------------------------------------------------------------------------------
def zipped(*members, comment=b""):
    """An archive by the standard library: (name or ZipInfo, data, method)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data, method in members:
            archive.writestr(name, data, method)
        archive.comment = comment
    return file.getvalue()


def link(name):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def with_extra(name):
    info = zipfile.ZipInfo(name)
    info.extra = struct.pack("<HHQ", 0x7777, 8, 0)
    return info


def lying(data, size):
    """The size of the first member said to be another, in both headers."""
    at = data.rindex(b"PK\1\2")
    return data[:22] + struct.pack("<L", size) + data[26 : at + 24] + struct.pack("<L", size) + data[at + 28 :]


S, D, NAME = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, "episodes/0000.trace"
ARCHIVES = {
    "nothing": (b"", "no zip file"),
    "no zip": (b"x" * 500, "no zip file"),
    "a path that leaves": (zipped(("../../etc/cron.d/x", b"x", S)), "no name of a submission's member"),
    "an absolute path": (zipped(("/etc/passwd", b"x", S)), "no name of a submission's member"),
    "a path of Windows": (zipped(("episodes\\0000.trace", b"x", S)), "no name of a submission's member"),
    "a nested archive": (zipped(("episodes/more.zip", zipped(("a", b"", S)), S)), "no name of a submission's member"),
    "digits of another alphabet": (zipped(("episodes/٠٠٠٠.trace", b"x", S)), "no name"),
    "a symbolic link": (zipped((link(NAME), b"/etc/passwd", S)), "a link, a folder or a device"),
    "a folder": (zipped(("episodes/", b"", S)), "no name of a submission's member"),
    "a comment": (zipped((NAME, b"x", S), comment=b"hello"), "no zip file, or cut|with a comment"),
    "extra fields": (zipped((with_extra(NAME), b"x", S)), "extra fields"),
    "a zip bomb": (zipped((NAME, b"\0" * (40 << 20), D)), "a zip bomb"),
    "bzip2": (zipped((NAME, b"x" * 100, zipfile.ZIP_BZIP2)), "compressed by method 12"),
    "lzma": (zipped((NAME, b"x" * 100, zipfile.ZIP_LZMA)), "compressed by method 14"),
    "something before": (b"#!/bin/sh\n" + zipped((NAME, b"x", S)), "directory is not where it says|overlap"),
    "something after": (zipped((NAME, b"x", S)) + b"tail" * 10, "no zip file, or cut"),
    "no manifest": (zipped((NAME, b"x", S)), "manifest.json is missing"),
    "a stored size that lies": (lying(zipped((NAME, b"x" * 100, S)), 1 << 30), "stored, but of another size"),
    "a deflated size that lies": (lying(zipped((NAME, b"x" * 10_000, D)), 60_000), "manifest.json is missing"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_of_another_form_is_refused(name):
    data, reason = ARCHIVES[name]
    with pytest.raises(SubmissionError, match=reason):
        Submission(data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_twins_overlaps_and_gaps_are_refused(honest):
    with pytest.raises(SubmissionError, match="stands twice"):
        Submission(zipped((NAME, b"a", S), (NAME, b"b", S)))
    two = zipped((NAME, b"a" * 50, S), ("episodes/0001.trace", b"a" * 50, S))
    second = two.rindex(b"PK\1\2")
    overlapping = two[: second + 42] + struct.pack("<L", 0) + two[second + 46 :]
    with pytest.raises(SubmissionError, match="overlap"):
        Submission(overlapping)


def test_a_member_never_becomes_more_than_it_declares(rewritten):
    data = rewritten()
    at = data.index(b"PK\1\2")
    name = data[at + 46 : at + 46 + struct.unpack_from("<H", data, at + 28)[0]]
    assert name == MANIFEST.encode()
    size = struct.unpack_from("<L", data, at + 24)[0]
    smaller = (
        data[:22] + struct.pack("<L", size - 1) + data[26 : at + 24] + struct.pack("<L", size - 1) + data[at + 28 :]
    )
    with pytest.raises(SubmissionError, match="damaged"):
        Submission(smaller)


def test_limits_of_size_and_number(honest):
    for limits, reason in (
        (Limits(packed=1000), "expected at most 1000"),
        (Limits(unpacked=1000), "more than 1000 bytes decompressed"),
        (Limits(members=3), "members; expected at most 3"),
    ):
        with pytest.raises(SubmissionError, match=reason):
            Submission(honest, limits=limits)


# --- checksums and signatures ------------------------------------------------------------------------------------------
def test_checksums_and_signature_must_fit(honest, packed):
    content, other = contents(honest), contents(packed["random"].read_bytes())
    swapped = Submission(pack_members({**content, NAME: other[NAME]}))
    with pytest.raises(SubmissionError, match="its checksum is not that of"):
        swapped.read(NAME)
    with pytest.raises(SubmissionError, match="the signature is not that of"):
        Submission(pack_members({**content, SIGNATURE: other[SIGNATURE]}))
    with pytest.raises(SubmissionError, match="the signature is not that of"):
        Submission(pack_members(resigned(content, keys.new_key())))
    with pytest.raises(SubmissionError, match="is in the file, but not in SHA256SUMS"):
        Submission(pack_members({"episodes/9999.trace": b"", **content}))
    with pytest.raises(SubmissionError, match="is not in the file, but in SHA256SUMS"):
        Submission(pack_members({name: data for name, data in content.items() if name != NAME}))
    with pytest.raises(SubmissionError, match="no sorted list"):
        Submission(pack_members({**content, SUMS: b"\n" + content[SUMS]}))


def test_one_number_has_one_name(rewritten):
    found = Submission(rewritten(**{"episodes/00001.trace": b""}))
    with pytest.raises(SubmissionError, match=r"episodes/00001\.trace; expected episodes/0001\.trace"):
        found.episodes  # noqa: B018


# --- manifests ---------------------------------------------------------------------------------------------------------
DEEP = b'{"a":' * 200_000
RAW = {
    "deep JSON": (DEEP[:60_000], "nested too deep"),
    "a huge header": (b'{"a":"' + random.Random(0).randbytes(MAX_MANIFEST).hex().encode() + b'"}', "expected at most"),
    "twin keys": (b'{"format":1,"format":1}', "a key stands twice"),
    "NaN": (b'{"format":NaN}', "NaN is no JSON number"),
    "a list": (b"[]", "expected a JSON object"),
    "no UTF-8": (b"\xff\xfe", "no JSON"),
    "a number of many digits": (b'{"format":' + b"9" * 10_000 + b"}", "no JSON"),
}


@pytest.mark.parametrize("name", RAW)
def test_a_manifest_that_is_no_plain_json_is_refused(name, rewritten):
    raw, reason = RAW[name]
    with pytest.raises(SubmissionError, match=reason):
        Submission(rewritten(raw=raw))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"score": 99}, "unknown key 'score'"),
        ({"metrics": {}}, "unknown key 'metrics'"),
        ({"seeds": [1]}, "unknown key 'seeds'"),
        ({"config": {}}, "unknown key 'config'"),
        ({"format": 2}, "format = 2; expected 1"),
        ({"format": True}, "format = True"),
        ({"class": "wizard"}, "expected one of planner"),
        ({"tier": "golden"}, "expected one of replayed"),
        ({"name": ""}, "printable"),
        ({"name": "a\u202eb"}, "printable"),
        ({"name": "x" * 101}, "1 to 100 printable"),
        ({"authors": ["a", 3]}, "authors = 3"),
        ({"authors": "me"}, "a list"),
        ({"links": {"code": "javascript:alert(1)"}}, "links.code"),
        ({"links": {"code": 'https://a.b/"><script>'}}, "links.code"),
        ({"links": {"blog": "https://a.b"}}, "unknown key 'blog' in links"),
        ({"public_key": "zz"}, "hexadecimal"),
        ({"reported": {"wall_s": [-1]}}, "a number from 0"),
        ({"reported": {"wall_s": [True]}}, "a number from 0"),
        ({"reported": {"score": [1]}}, "unknown key 'score' in reported"),
        ({"sealed": {"round": "x"}}, "unknown key 'round' in sealed"),
        ({"tier": "sealed"}, "'commit' is missing"),
        ({"tier": "hosted"}, "'commit' is missing"),
        ({"track": {"name": "x", "version": 1, "hash": "y", "seed": 3}}, "unknown key 'seed' in track"),
        ({"track": {"name": "x", "version": "1", "hash": "y"}}, "track.version"),
        ({"kernels": {"m": "no hex"}}, "hexadecimal"),
    ],
)
def test_a_manifest_holds_what_it_may_and_nothing_else(change, reason, rewritten):
    with pytest.raises(SubmissionError, match=reason):
        Submission(rewritten(manifest=change))


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "Robert'); DROP TABLE agents;--", "{{7*7}}", "cmd:touch owned"]
)
def test_html_sql_and_commands_in_names_are_just_names(name, rewritten, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = Submission(rewritten(manifest={"name": name, "agent": name, "authors": [name]}))
    assert (found.manifest.name, found.manifest.agent) == (name, name)
    assert not list(tmp_path.iterdir())


def test_what_packs_also_opens_what_it_made(honest):
    found = Submission(honest)
    key = keys.new_key()
    content = {name: found.read(name) for name in found.sums if name != MANIFEST}
    from dataclasses import replace

    again = Submission(seal(replace(found.manifest, public_key=keys.public_key(key)), content, key))
    assert again.sums.keys() == found.sums.keys()
    assert zlib.crc32(again.data) != zlib.crc32(found.data)


# --- addresses and commands --------------------------------------------------------------------------------------------
@pytest.fixture
def served(packed):
    """The folder of submissions over HTTP, on the loopback interface."""
    folder = packed["pibt"].parent

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", f"file://{packed['pibt']}")
                self.end_headers()
                return
            super().do_GET()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_submission_is_read_from_an_address_up_to_its_limit(served, packed, honest):
    address = f"{served}/{packed['pibt'].name}"
    assert download(address, 1 << 20) == honest
    with pytest.raises(SubmissionError, match="more than 100 bytes"):
        download(address, 100)
    for bad, reason in (
        (f"{served}/nothing", "404"),
        ("file:///etc/passwd", "expected an address"),
        (f"{served}/away", "file:"),
    ):
        with pytest.raises(SubmissionError, match=reason):
            download(bad, 1 << 20)


def test_submit_and_verify_on_the_command_line(command, finished, tiny_track, tmp_path, served, packed):
    track = ("--track", tiny_track.path)
    code, out, err = command(
        "submit", finished.root, "--name", "PIBT <b>", "--agent", "pibt", "--to", tmp_path / "all", "--key", tmp_path / "key",
        "--link", "code=https://example.org/pibt", "--author", "Ada", *track, "--json",
    )  # fmt: skip
    assert code == 0, err
    made = json.loads(out)
    assert made["episodes"] == 8
    for what in (made["file"], tmp_path / "all", f"{served}/{packed['random'].name}"):
        code, out, err = command("verify", what, *track)
        assert code == 0, err
        assert "verified (replayed)" in out
        assert "8 of 8 episodes" in out
    (tmp_path / "all" / "bad.ludarium.zip").write_bytes(b"PK nothing")
    code, out, err = command("verify", tmp_path / "all", *track)
    assert code == 1
    assert "NOT verified" in out
    assert "no zip file" in out
    code, out, err = command("verify", made["file"])
    assert code == 2
    assert "unknown track 'tiny-track'" in err
