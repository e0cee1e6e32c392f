"""Traces: what is written is read back, and no damaged file gives anything but a `TraceError`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from core.play import CASES, play
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ludarium.envs.core import trace as module
from ludarium.envs.core.entropy import compress, decompress
from ludarium.envs.core.errors import TraceError
from ludarium.envs.core.trace import FORMAT, MAX_HEADER, Trace, decode, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def header(roles: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"id": "x-v0", "config": {}, "seed": 0, "roles": roles, **more}


def same(a: Trace, b: Trace) -> None:
    assert (a.header, a.digests, a.events, a.result) == (b.header, b.digests, b.events, b.result)
    for x, y in zip(a.actions, b.actions, strict=True):
        if isinstance(x, np.ndarray):
            assert (x.dtype, x.shape) == (y.dtype, y.shape)
            np.testing.assert_array_equal(x, y)
        else:
            assert x == y


@st.composite
def roles(draw: Any, steps: int) -> tuple[dict[str, Any], Any]:
    kind = draw(st.sampled_from(["packed", "raw", "float", "json"]))
    seats, extra = draw(st.integers(1, 4)), draw(st.lists(st.integers(1, 3), max_size=2))
    shape, base = (steps, seats, *extra), 0
    if kind == "packed":
        base = draw(st.integers(2, 300))
        dtype = np.dtype(np.uint8 if base <= 256 else np.uint16)
        actions: Any = draw(hnp.arrays(dtype, shape, elements=st.integers(0, base - 1)))
    elif kind == "raw":
        actions = draw(hnp.arrays(draw(st.sampled_from(["<i8", "<u4", "<u2", "|i1", "|u1"])), shape))
    elif kind == "float":
        actions = draw(hnp.arrays(draw(st.sampled_from(["<f4", "<f8"])), shape))
    else:
        actions = [[draw(JSON) for _ in range(seats)] for _ in range(steps)]
    return {"name": "r", "count": seats, "base": base}, actions


@st.composite
def traces(draw: Any) -> Trace:
    steps = draw(st.integers(0, 9))
    drawn = draw(st.lists(roles(steps), min_size=1, max_size=3))
    digests = draw(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)), max_size=4))
    events = draw(st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), max_size=3))
    result = draw(st.dictionaries(st.text(max_size=5), JSON, max_size=3))
    return Trace(header([role for role, _ in drawn]), [actions for _, actions in drawn], digests, events, result)


@given(traces())
@settings(max_examples=100, deadline=None)
def test_reading_gives_back_what_was_written(trace: Trace) -> None:
    data = encode(trace)
    same(decode(data), trace)
    assert encode(decode(data)) == data


@pytest.mark.parametrize("name", CASES)
def test_episodes_of_every_world_go_through_a_file(name: str, tmp_path: Path) -> None:
    trace = play(name).trace()
    path = trace.save(tmp_path / "deep" / "episode.trace")
    loaded = Trace.load(path)
    same(loaded, trace)
    assert loaded.digest == trace.digest
    assert loaded.replay().ok
    assert [p.name for p in path.parent.iterdir()] == ["episode.trace"]


@pytest.fixture(scope="module")
def small() -> bytes:
    return encode(play("object", 1, 3).trace())


def test_every_cut_is_a_trace_error(small: bytes) -> None:
    for end in range(len(small)):
        with pytest.raises(TraceError):
            decode(small[:end])


def test_every_changed_byte_is_a_trace_error(small: bytes) -> None:
    for at in range(len(small)):
        for change in (0x01, 0x80, 0xFF):
            changed = bytearray(small)
            changed[at] ^= change
            with pytest.raises(TraceError):
                decode(bytes(changed))


def test_bytes_after_the_end_are_a_trace_error(small: bytes) -> None:
    for more in (b"\0", b"\n", small):
        with pytest.raises(TraceError):
            decode(small + more)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_at_all_are_a_trace_error(data: bytes) -> None:
    with pytest.raises(TraceError):
        decode(data)


def sealed(head: Any, frames: list[tuple[bytes, bytes]]) -> bytes:
    """A file whose seal holds, whatever it says: what somebody could forge."""
    out = json.dumps(head).encode() + b"\n"
    for tag, body in frames:
        packed = zstandard.compress(body)
        out += tag + len(packed).to_bytes(4, "little") + packed
    return out + b"SEAL" + (16).to_bytes(4, "little") + hashlib.blake2b(out, digest_size=16).digest()


GOOD = {"format": FORMAT, **header([{"name": "r", "count": 1, "base": 5}])}


@pytest.mark.parametrize(
    "head",
    [
        [1], 3, None, "x", {}, {**GOOD, "format": None}, {**GOOD, "roles": 3}, {**GOOD, "roles": [3]},
        {**GOOD, "roles": []}, {**GOOD, "roles": [{"name": "r"}]}, {**GOOD, "config": 3},
        {**GOOD, "seed": "x"}, {**GOOD, "seed": True},
        {key: value for key, value in GOOD.items() if key != "seed"},
    ],
)  # fmt: skip
def test_forged_headers_are_trace_errors(head: Any) -> None:
    frames = [(b"TEXT", b'{"role":0,"actions":[]}'), (b"DONE", b"{}")]
    with pytest.raises(TraceError):
        decode(sealed(head, frames))


@given(
    st.lists(
        st.tuples(st.sampled_from([b"ACTS", b"TEXT", b"DIGS", b"DONE", b"WHAT"]), st.binary(max_size=60)), max_size=4
    )
)
@settings(max_examples=300, deadline=None)
def test_forged_frames_give_a_trace_or_a_trace_error(frames: list[tuple[bytes, bytes]]) -> None:
    try:
        trace = decode(sealed(GOOD, frames))
    except TraceError:
        return
    assert len(trace.actions) == 1


WORD = st.integers(0, 2**32 - 1)


@given(st.integers(0, 3), st.integers(0, 255), st.integers(0, 65535), WORD, WORD,
       st.sampled_from([b"|u1 ", b"<f8 ", b"|O  ", b"zzzz", b"<U9 "]), st.binary(max_size=20))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_forged_shapes_of_actions_give_a_trace_or_a_trace_error(
    role: int, per: int, base: int, steps: int, seats: int, dtype: bytes, body: bytes
) -> None:
    packed = module._PACKED.pack(role, per, base, steps, seats, 0) + dtype + body
    try:
        trace = decode(sealed(GOOD, [(b"ACTS", packed)]))
    except TraceError:
        return
    assert trace.actions[0].shape == (steps, seats)


def test_another_version_is_named() -> None:
    with pytest.raises(
        TraceError, match=rf"format {FORMAT + 1}; this version of ludarium reads formats up to {FORMAT}"
    ):
        decode(sealed({**GOOD, "format": FORMAT + 1}, []))


def test_a_huge_header_is_refused_without_reading_it() -> None:
    with pytest.raises(TraceError, match="no header line"):
        decode(b'{"format": 1, "x": "' + b"y" * MAX_HEADER + b'"}\n')


def test_a_frame_that_claims_gigabytes_is_refused() -> None:
    bomb = zstandard.ZstdCompressor(write_content_size=True).compress(b"\0" * 1000)
    claimed = bytearray(bomb)
    parameters = zstandard.get_frame_parameters(bomb)
    assert parameters.content_size == 1000
    # a frame header of a single segment with an eight-byte content size
    claimed = bytearray(b"\x28\xb5\x2f\xfd" + bytes([0b11100000]) + (1 << 40).to_bytes(8, "little") + b"\x01\0\0")
    assert zstandard.get_frame_parameters(bytes(claimed)).content_size == 1 << 40
    head = json.dumps(GOOD).encode() + b"\n"
    out = head + b"DONE" + len(claimed).to_bytes(4, "little") + bytes(claimed)
    out += b"SEAL" + (16).to_bytes(4, "little") + hashlib.blake2b(out, digest_size=16).digest()
    with pytest.raises(TraceError, match="frames of more than"):
        decode(out)


def test_a_file_that_is_not_there_and_a_folder_that_is_a_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="nowhere"):
        Trace.load(tmp_path / "nowhere")
    with pytest.raises(TraceError):
        Trace.load(tmp_path)


def test_values_that_json_does_not_know_are_refused() -> None:
    with pytest.raises(TraceError, match="holds JSON values"):
        encode(Trace(header([{"name": "r", "count": 1}]), [[[object()]]], []))


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """`RLIMIT_FSIZE` stands for the full disk: the write fails in the middle."""
    import subprocess
    import sys

    program = (
        "import resource, signal, sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from ludarium.envs.core.errors import TraceError\nfrom ludarium.envs.core.trace import Trace\n"
        "h = {'id': 'x', 'config': {}, 'seed': 0, 'roles': [{'name': 'r', 'count': 9}]}\n"
        "old = Trace(h, [np.zeros((1, 9), np.uint8)], [(0, 1)])\npath = Path(sys.argv[1])\nold.save(path)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "new = Trace(h, [np.random.default_rng(0).integers(0, 256, (5000, 9)).astype(np.uint8)], [(0, 2)])\n"
        "try:\n    new.save(path)\nexcept TraceError as error:\n    print(error)\n"
        "assert Trace.load(path).digests == [(0, 1)]\nassert len(list(path.parent.iterdir())) == 1\n"
    )
    path = tmp_path / "a" / "t.trace"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "cannot write the trace" in done.stdout


def sized(actions: list[np.ndarray]) -> int:
    """Bytes of traces of robots with these actions uint8[T, N]."""
    head = header([{"name": "robot", "count": actions[0].shape[1], "type": "|u1", "base": 5}])
    marks = [(64 * k, 2**63 + 7**k) for k in range(len(actions[0]) // 64 + 1)]
    return sum(len(encode(Trace(head, [array], marks))) for array in actions)


def test_traces_are_small() -> None:
    """100 episodes of 128 robots and 512 steps: planner-like at most 1.5 MB, uniformly random at most 2.0 MB.

    A tenth of the episodes must fit a tenth of the bytes. A planner's robots go straight for some steps, then turn or
    wait.
    """
    chance = np.random.default_rng(0)
    random = [chance.integers(0, 5, (512, 128)).astype(np.uint8) for _ in range(10)]
    assert sized(random) <= 200_000
    planned = []
    for _ in range(10):
        turns = chance.random((512, 128)) < 0.3
        turns[0] = True
        choice = chance.integers(0, 5, (512, 128)).astype(np.uint8)
        last = np.maximum.accumulate(np.where(turns, np.arange(512)[:, None], 0), axis=0)
        planned.append(np.take_along_axis(choice, last, axis=0))
    assert sized(planned) <= 150_000


GOLDEN = Path(__file__).parents[1] / "golden" / "traces"


@pytest.mark.parametrize("name", ["mapf", "coin"])
def test_files_of_every_format_stay_readable(name: str) -> None:
    found = [Trace.load(GOLDEN / f"{name}-format-{version}.trace") for version in range(1, FORMAT + 1)]
    for trace in found[1:]:
        same(found[0], trace)
    assert (found[0].steps, found[0].actions[0].shape[1]) == {"mapf": (96, 24), "coin": (5, 1)}[name]


def test_repeated_moves_take_few_bits_and_random_ones_no_more_than_their_entropy() -> None:
    random = np.random.default_rng(0).integers(0, 5, (512, 128)).astype(np.uint8)
    held = np.repeat(random[:64], 8, axis=0)
    role = [{"name": "r", "count": 128, "base": 5}]
    sizes = [len(encode(Trace(header(role), [actions], [(512, 1)]))) for actions in (random, held)]
    assert sizes[0] < 1.02 * 512 * 128 * np.log2(5) / 8
    assert sizes[1] < 0.5 * sizes[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 16), st.data())
def test_entropy_coding_is_lossless_and_never_reads_beyond_its_bytes(base: int, data: Any) -> None:
    shape = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 40)))
    rows = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, base - 1)))
    coded = compress(rows, base)
    assert coded is not None
    again = np.zeros_like(rows)
    assert decompress(coded, base, again)
    np.testing.assert_array_equal(rows, again)
    place = data.draw(st.integers(0, len(coded) - 1))
    spoilt = coded[:place] + bytes([data.draw(st.integers(0, 255))]) + coded[place + 1 :]
    for bad in (spoilt, coded[:place], coded + b"xx"):
        decompress(bad, base, again)
    assert not decompress(coded + b"xx", base, again)


def test_what_a_trace_becomes_is_limited() -> None:
    role = [{"name": "r", "count": 100, "base": 5}]
    data = encode(Trace(header(role), [np.zeros((10_000, 100), np.uint8)], [(10_000, 1)]))
    assert len(data) < 5000
    assert decode(data, limit=1 << 20).steps == 10_000
    with pytest.raises(TraceError, match="1000000 actions; expected at most"):
        decode(data, limit=1 << 19)


@pytest.mark.parametrize("result", [[], "x", 3, {"metrics": "x"}, {"metrics": None}])
def test_a_result_that_is_none_is_refused(result: Any) -> None:
    data = encode(Trace(header([{"name": "r", "count": 1}]), [np.zeros((1, 1), np.uint8)], [(1, 1)], [], result))
    with pytest.raises(TraceError, match="no object with metrics"):
        decode(data)
