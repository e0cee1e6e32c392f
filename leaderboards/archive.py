"""Zip files that strangers send: one strict form, with limits, so that there is one way to read each of them.

Members are plain files, stored or deflated, one after another without gaps, without comments and extra fields, under
names that are known. What `zip` of the shell or a file manager makes is refused: `ludarium submit` makes the form.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from typing import NamedTuple

from ludarium.envs.core.errors import SubmissionError

__all__ = ["Limits", "Member", "pack_members", "read_member", "read_members"]

_LOCAL = struct.Struct("<4s5H3L2H")
_END = struct.Struct("<4s4H2LH")
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644
_STORED, _DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


class Limits(NamedTuple):
    """What an archive may hold."""

    packed: int = 64 << 20
    """Bytes of the file."""
    unpacked: int = 256 << 20
    """Bytes of all members, decompressed."""
    members: int = 20_000
    ratio: int = 200
    """How many times smaller than its content a deflated member may be (those below 64 KiB: any)."""


class Member(NamedTuple):
    """Where a member lies in the file."""

    name: str
    start: int
    packed: int
    size: int
    method: int
    crc: int


def pack_members(members: dict[str, bytes]) -> bytes:
    """An archive of these members in this order; equal members give equal bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = 3, _MODE << 16
            smaller = len(zlib.compress(data, 9)) < len(data)
            archive.writestr(info, data, _DEFLATED if smaller else _STORED, 9)
    return file.getvalue()


def read_members(data: bytes, names: re.Pattern[str], limits: Limits, where: str) -> dict[str, Member]:
    """The members of an archive by name, none of them decompressed yet; `SubmissionError` names what is wrong."""
    if len(data) > limits.packed:
        raise SubmissionError(f"{where}: {len(data)} bytes; expected at most {limits.packed}")
    if len(data) < _END.size or data[-_END.size : -_END.size + 4] != b"PK\5\6":
        raise SubmissionError(f"{where}: no zip file, or cut, or with something after its end")
    end = _END.unpack(data[-_END.size :])
    if end[1] or end[2] or end[3] != end[4] or end[7]:
        raise SubmissionError(f"{where}: a zip file of several parts, or with a comment")
    if end[4] > limits.members:
        raise SubmissionError(f"{where}: {end[4]} members; expected at most {limits.members}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            beginning = archive.start_dir
    except (zipfile.BadZipFile, NotImplementedError, ValueError, UnicodeError, struct.error, OverflowError) as error:
        raise SubmissionError(f"{where}: no zip file that can be read: {error}") from error
    if beginning + end[5] + _END.size != len(data) or beginning != end[6] or len(listed) != end[4]:
        raise SubmissionError(f"{where}: the zip file's directory is not where it says")
    found: dict[str, Member] = {}
    at = 0
    for info in listed:
        member = _member(data, info, at, names, limits, where)
        if member.name in found:
            raise SubmissionError(f"{where}: {member.name} stands twice")
        found[member.name] = member
        at = member.start + member.packed
    if at != beginning:
        raise SubmissionError(f"{where}: {beginning - at} bytes between the last member and the directory")
    if sum(member.size for member in found.values()) > limits.unpacked:
        raise SubmissionError(f"{where}: more than {limits.unpacked} bytes decompressed")
    return found


def _member(data: bytes, info: zipfile.ZipInfo, at: int, names: re.Pattern[str], limits: Limits, where: str) -> Member:
    """A member, if both of its headers agree, it begins at `at`, and it is a plain file that may be here."""
    name = info.orig_filename
    place = f"{where}: {name!r:.80}"
    if not names.fullmatch(name):
        raise SubmissionError(f"{place}: no name of a submission's member")
    kind = (info.external_attr >> 16) & 0o170000
    if kind not in (0, 0o100000) or info.external_attr & 0x10:
        raise SubmissionError(f"{place}: a link, a folder or a device; expected plain files")
    if info.compress_type not in (_STORED, _DEFLATED) or info.flag_bits:
        raise SubmissionError(f"{place}: encrypted, streamed, or compressed by method {info.compress_type}")
    if info.extra or info.comment or info.volume:
        raise SubmissionError(f"{place}: extra fields or a comment; pack it by `ludarium submit`")
    plain = name.encode("ascii")
    if info.header_offset != at or at + _LOCAL.size + len(plain) + info.compress_size > len(data):
        raise SubmissionError(f"{place}: members overlap, are out of order or leave gaps")
    head = _LOCAL.unpack_from(data, at)
    wanted = (b"PK\3\4", 0, info.compress_type, info.CRC, info.compress_size, info.file_size, len(plain), 0)
    if (head[0], head[2], head[3], *head[6:]) != wanted or data[at + _LOCAL.size :][: len(plain)] != plain:
        raise SubmissionError(f"{place}: the member's header and the directory disagree")
    if info.compress_type == _STORED and info.compress_size != info.file_size:
        raise SubmissionError(f"{place}: stored, but of another size")
    if info.file_size > max(limits.ratio * info.compress_size, 1 << 16):
        raise SubmissionError(f"{place}: {info.compress_size} bytes that become {info.file_size}; a zip bomb")
    start = at + _LOCAL.size + len(plain)
    return Member(name, start, info.compress_size, info.file_size, info.compress_type, info.CRC)


def read_member(data: bytes, member: Member, where: str) -> bytes:
    """A member's content, never more than it declares; `SubmissionError` if it is damaged."""
    packed = data[member.start : member.start + member.packed]
    content = packed
    if member.method == _DEFLATED:
        engine = zlib.decompressobj(-15)
        try:
            content = engine.decompress(packed, member.size + 1)
        except zlib.error as error:
            raise SubmissionError(f"{where}: {member.name}: damaged: {error}") from error
        if engine.unconsumed_tail or engine.unused_data or not engine.eof:
            raise SubmissionError(f"{where}: {member.name}: damaged: not of the size that it declares")
    if len(content) != member.size or zlib.crc32(content) != member.crc:
        raise SubmissionError(f"{where}: {member.name}: damaged: its size or its CRC is wrong")
    return content
