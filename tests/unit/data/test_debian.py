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


def test_a_link_in_a_debian_package_leads_to_nothing_that_passes(prepare, debian, target):
    files, source = debian
    (files / "test-y").unlink()
    (files / "test-y").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match=r"test-y has the magic number"):
        prepare(source)
    assert left_behind(target) == []


def test_apt_that_says_it_is_done_and_leaves_no_file(prepare, debian, folder, target, arrays, tmp_path):
    (tmp_path / "tools" / "apt-get").write_text("#!/bin/sh\nexit 0\n")
    lines = prepare(debian[1], {"folder": str(folder)})
    assert any("apt-get says that it has downloaded it, and left no file" in line for line in lines)
    assert_prepared(target, arrays)


def test_archive_that_is_no_debian_package(prepare, debian, tmp_path):
    (tmp_path / "tools" / "apt-get").write_text("#!/bin/sh\necho junk > dataset-tiny.deb\n")
    with pytest.raises(UserError, match=r"dataset-tiny\.deb cannot be unpacked \("):
        prepare(debian[1])


def test_apt_that_knows_no_such_package(prepare, debian, target, tmp_path):
    (tmp_path / "tools" / "apt-get").write_text('#!/bin/sh\necho "E: Unable to locate package $*" >&2\nexit 100\n')
    with pytest.raises(UserError, match=r"apt-get cannot download it \(E: Unable to locate package .*\)\.$"):
        prepare(debian[1])
    assert left_behind(target) == []
