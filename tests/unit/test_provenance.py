"""Where runs and reports come from: the commit, and what makes a report old."""

import os
import subprocess

import pytest

from refashion import provenance


def git(folder, *arguments):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True, env=clean
    )
    return done.stdout.strip()


def repository(folder, *tracked):
    """A Git repository with a commit of some files; its revision."""
    folder.mkdir(exist_ok=True)
    git(folder, "init", "-q")
    for name in tracked:
        (folder / name).write_text("one")
        git(folder, "add", name)
    git(folder, "commit", "-q", "-m", "first")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder that is taken for the project; a checkout only once a test makes it one."""
    folder = tmp_path / "it's a folder, é"
    monkeypatch.setattr(provenance, "PROJECT", folder)
    return folder


def test_the_commit_and_its_changes_are_those_of_the_project(project):
    revision = repository(project, "Snakefile")
    assert provenance.commit() == {"commit": revision, "dirty": False}
    (project / "Snakefile").write_text("two")
    assert provenance.commit() == {"commit": revision, "dirty": True}


def test_unpacked_inside_another_repository_it_has_no_commit(project):
    repository(project.parent, "notes")
    project.mkdir()
    (project / "Snakefile").write_text("one")
    assert provenance.commit() == {"commit": None, "dirty": None}


def test_a_repository_that_does_not_track_the_snakefile_is_another(project):
    repository(project, "notes")
    (project / "Snakefile").write_text("one")
    assert provenance.commit() == {"commit": None, "dirty": None}


def test_the_variables_of_another_repository_are_ignored(project, tmp_path, monkeypatch):
    other = tmp_path / "other"
    repository(other, "Snakefile")
    revision = repository(project, "Snakefile", "config")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert provenance.commit() == {"commit": revision, "dirty": False}


def test_whether_there_are_changes_is_unknown_where_git_cannot_say(project):
    revision = repository(project, "Snakefile")
    (project / ".git" / "index").write_text("damaged")
    assert provenance._git("rev-parse", "HEAD") == revision
    assert provenance._git("status", "--porcelain", "--untracked-files=no") is None
    assert provenance.commit()["dirty"] is None


def test_another_users_checkout_is_told_as_such(project, capsys, monkeypatch):
    repository(project, "Snakefile")
    run = subprocess.run
    # Git's own tests use the first; the second keeps out what whoever runs this trusts.
    pretended = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    monkeypatch.setattr(
        provenance.subprocess, "run", lambda *given, env, **named: run(*given, env=env | pretended, **named)
    )
    assert provenance.commit() == {"commit": None, "dirty": None}
    assert "is another user's checkout" in capsys.readouterr().out


def test_the_digest_of_folders_knows_names_and_bytes_and_no_bytecode(tmp_path):
    (tmp_path / "inner" / "__pycache__").mkdir(parents=True)
    (tmp_path / "inner" / "a.py").write_text("one")
    first = provenance.digest([tmp_path])
    (tmp_path / "inner" / "__pycache__" / "a.pyc").write_text("compiled")
    (tmp_path / ".hidden").write_text("of an editor")
    assert provenance.digest([tmp_path]) == first
    (tmp_path / "inner" / "a.py").write_text("two")
    second = provenance.digest([tmp_path])
    (tmp_path / "inner" / "a.py").rename(tmp_path / "inner" / "b.py")
    assert len({first, second, provenance.digest([tmp_path])}) == 3
