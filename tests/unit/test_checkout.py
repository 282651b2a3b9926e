"""What a checkout may not do to the files."""

import os
import shutil
import subprocess

from project import PROJECT


def test_a_checkout_that_changes_line_ends_changes_none_here(tmp_path):
    """`core.autocrlf=true` is usual on Windows' disks; the published files are known by their SHA-256."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    source, clone = tmp_path / "source", tmp_path / "clone"
    source.mkdir()
    shutil.copy(PROJECT / ".gitattributes", source)
    (source / "history.csv").write_bytes(b"epoch,accuracy\n1,0.5\n")
    commit = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "commit", "-qm", "x"]
    for arguments in (["init", "-q"], ["add", "."], commit):
        subprocess.run(["git", "-C", str(source), *arguments], check=True, env=clean)
    subprocess.run(["git", "clone", "-q", "-c", "core.autocrlf=true", str(source), str(clone)], check=True, env=clean)
    assert (clone / "history.csv").read_bytes() == (source / "history.csv").read_bytes()
