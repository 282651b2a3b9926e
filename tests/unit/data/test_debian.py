"""Debian packages, given out by a pretended apt-get."""

import shutil

import pytest

from refashion.errors import UserError
from tiny_data import assert_prepared, left_behind


@pytest.fixture
def debian(tmp_path, monkeypatch, folder):
    """A Debian package with the four files, given out by a pretended apt-get. Returns their folder and the source."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not on this machine")
    tree, tools = tmp_path / "tree", tmp_path / "tools"
    shutil.copytree(folder, tree / "usr/share/tiny")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        "Package: dataset-tiny\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: tiny\n"
    )
    tools.mkdir()
    (tools / "apt-get").write_text(f'#!/bin/sh\nexec dpkg-deb --root-owner-group --build "{tree}" . >/dev/null\n')
    (tools / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    return tree / "usr/share/tiny", {"debian": "dataset-tiny", "folder": "usr/share/tiny"}


def test_debian_package(prepare, debian, target, arrays):
    prepare(debian[1])
    assert_prepared(target, arrays)


def test_debian_package_gives_nothing_but_the_files_wanted(prepare, debian, target, tmp_path):
    files, source = debian
    (files / "test-y").unlink()
    (files / "test-y").symlink_to("/etc/passwd")
    (files.parent / "test-y").write_bytes(b"in another folder")
    with pytest.raises(UserError, match=r"has neither test-y nor test-y\.gz\.$"):
        prepare(source)
    assert left_behind(target) == []


def test_oversized_file_in_a_debian_package_is_not_unpacked(prepare, debian, target):
    files, source = debian
    (files / "train-x.gz").write_bytes(bytes(1_000_000))
    with pytest.raises(UserError, match=r"usr/share/tiny/train-x\.gz has 1,000,000 bytes, at most 5,324 expected\.$"):
        prepare(source)
    assert left_behind(target) == []


def test_archive_that_is_no_debian_package(prepare, debian, tmp_path):
    (tmp_path / "tools" / "apt-get").write_text("#!/bin/sh\necho junk > dataset-tiny.deb\n")
    with pytest.raises(UserError, match=r"dataset-tiny\.deb cannot be unpacked \("):
        prepare(debian[1])


def test_apt_that_knows_no_such_package(prepare, debian, target, tmp_path):
    (tmp_path / "tools" / "apt-get").write_text('#!/bin/sh\necho "E: Unable to locate package $*" >&2\nexit 100\n')
    with pytest.raises(UserError, match=r"apt-get cannot download it \(E: Unable to locate package .*\)\.$"):
        prepare(debian[1])
    assert left_behind(target) == []
