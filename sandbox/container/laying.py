"""Lays the patches: the model's, then all that belongs to the tests over it, tripwires last.

Part of supervisor.py, which calls it as the tests' user. For Python 3.7 and newer.
"""

import os
import re
import subprocess

import applying

REPO = "/repo"


def read(path):
    """A file's bytes, none where there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def lay_patch(spec):
    """The model's patch first, then all that belongs to the tests over it."""
    told = {"rung": "", "mended": [], "restored": [], "paths": []}
    if spec["model_diff"]:
        diff = spec["model_diff"].encode("utf-8", "surrogateescape")
        told.update(lay_exact(diff) if spec["trusted"] else applying.apply(diff, REPO))
        if "refused" in told:
            told["which"] = "model"
            return told
        if not spec["trusted"]:
            told["restored"] += restore_manifests(told["paths"], spec["manifests"])
            told["restored"] += restore(p for p in spec["test_paths"] if p in told["paths"])
    if spec["test_diff"]:
        laid = lay_exact(spec["test_diff"].encode("utf-8", "surrogateescape"))
        if "refused" in laid:
            told.update(refused=laid["refused"], which="test")
            return told
    for path in spec["left_out"]:
        if os.path.isfile(path):
            os.remove(path)
    told["planted"] = [name for wire in spec["tripwires"] if plant(wire) for name in wire["names"]]
    return told


def lay_exact(diff):
    """A diff that git itself made of this history, however large: as it stands or not at all."""
    ran = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        input=diff,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if ran.returncode == 0:
        return {"rung": "exact"}
    return {"refused": ran.stdout.decode("utf-8", "replace").strip()}


def restore_manifests(paths, names):
    """Undo changes of manifests that change how tests run, such as pytest's options."""
    touched = [path for path in paths if os.path.basename(path).lower() in names]
    if not touched:
        return []
    # Only now: it loads the readers of three formats.
    import manifests

    back = []
    for path in touched:
        before = git("show", "HEAD:" + path)
        after = read(path).decode("utf-8", "replace") if os.path.isfile(path) else None
        known = manifests.steering(path, before, after)
        if known is None or known > manifests.Steers.NOTHING:
            back.append(path)
    return restore(back)


def restore(paths):
    """Put files back as they stand in the base commit."""
    done = []
    for path in paths:
        if os.path.lexists(path):
            os.remove(path)
        git("checkout", "-q", "HEAD", "--", path)
        done.append(path)
    return done


def git(*words):
    """What git prints; None where it fails."""
    ran = subprocess.run(
        ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"] + list(words),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return ran.stdout.decode("utf-8", "replace") if ran.returncode == 0 else None


def plant(wire):
    """Write a test that must fail, beside its sibling or at its end; whether that was possible."""
    sibling = read(wire["sibling"])
    if not sibling or os.path.islink(wire["sibling"]):
        return False
    fits = (
        text
        for patterns, text in wire["variants"]
        if all(re.search(pattern.encode("utf-8"), sibling, re.M) for pattern in patterns)
    )
    text = next(fits, "")
    if not text or (not wire["appended"] and os.path.lexists(wire["path"])):
        return False
    for mark, pattern in wire["fill"].items():
        found = re.search(pattern.encode("utf-8"), sibling, re.M)
        if found is None:
            return False
        text = text.replace(mark, found.group(1).decode("utf-8", "replace"))
    with open(wire["path"], "ab") as file:
        file.write(text.encode("utf-8"))
    return True
