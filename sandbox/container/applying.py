"""Lays a patch over the repository, all of it or nothing."""

import subprocess


def apply(diff, folder):
    """What became of it: `rung` and `paths`, or `refused` with git's words."""
    ran = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        input=diff, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if ran.returncode:
        return {"refused": ran.stdout.decode("utf-8", "replace").strip(), "tried": {}}
    listed = subprocess.run(
        ["git", "status", "--porcelain", "-z", "-uall", "--no-renames"],
        cwd=folder, stdout=subprocess.PIPE,
    )  # fmt: skip
    names = listed.stdout.decode("utf-8", "surrogateescape").split("\0")
    return {"rung": "exact", "mended": [], "paths": sorted(name[3:] for name in names if name)}
