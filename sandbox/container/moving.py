"""Moves what git made over the real files: all of it, or none.

Part of applying.py, whose words on old Python hold here too.
"""
import errno
import os
import stat

FILE, PROGRAM, LINK, FOLDER = "file", "program", "link", "folder"

# What a patch can be the reason for; all else (a full disk, say) is no fault of it.
_OF_THE_PATCH = (
    errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP
)


class InTheWay(Exception):
    """What stands in the tree does not let the patch be applied."""


def read(path):
    """(kind, content) of what stands at a path, links not followed; None where nothing does."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _whose(error)
    if stat.S_ISLNK(mode):
        return LINK, os.readlink(path)
    if stat.S_ISDIR(mode):
        return FOLDER, b""
    if not stat.S_ISREG(mode):
        raise InTheWay("no regular file: {}".format(os.path.basename(path).decode("utf-8", "replace")))
    with open(path, "rb") as file:
        return PROGRAM if mode & stat.S_IXUSR else FILE, file.read()


def write(path, found):
    """Makes what `read` gave, in a folder where nothing is yet."""
    os.makedirs(path if found[0] == FOLDER else os.path.dirname(path), exist_ok=True)
    if found[0] == LINK:
        os.symlink(found[1], path)
    elif found[0] != FOLDER:
        with open(path, "wb") as file:
            file.write(found[1])
        os.chmod(path, 0o755 if found[0] == PROGRAM else 0o644)


def move(made, folder, before, after):
    """Brings `folder` from `before` to `after`, whose files stand in `made`; the changed paths.

    Raises InTheWay or OSError; then `folder` is as it was.
    """
    changed = sorted(p for p in set(before) | set(after) if before.get(p) != after.get(p))
    undo = []
    try:
        for number, path in enumerate(changed):
            if path in before:
                _set_aside(folder, path, made + b"-old-%d" % number, undo)
        for path in changed:
            if path in before and path not in after:
                _prune(folder, os.path.dirname(path), undo)
        for number, path in enumerate(changed):
            if path in after:
                _put(folder, path, os.path.join(made, path), made + b"-old-%d" % number, undo)
    except OSError as error:
        for act, arguments in reversed(undo):
            act(*arguments)
        raise _whose(error)
    return changed


def _whose(error):
    if error.errno in _OF_THE_PATCH:
        return InTheWay("what the tree holds is in the way: {}".format(error.strerror))
    return error


def _set_aside(folder, path, aside, undo):
    real = os.path.join(folder, path)
    os.rename(real, aside)
    undo.append((os.rename, (aside, real)))


def _prune(folder, path, undo):
    """Removes folders that became empty, as git does."""
    while path:
        real = os.path.join(folder, path)
        mode = stat.S_IMODE(os.lstat(real).st_mode) if os.path.isdir(real) else 0
        if not mode or os.listdir(real):
            return
        os.rmdir(real)
        undo.append((_make_folder, (real, mode)))
        path = os.path.dirname(path)


def _make_folder(path, mode):
    os.mkdir(path)
    os.chmod(path, mode)


def _put(folder, path, source, old, undo):
    parts = path.split(b"/")
    for length in range(1, len(parts)):
        parent = os.path.join(folder, *parts[:length])
        if os.path.islink(parent):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), parent)
        if not os.path.isdir(parent):
            os.mkdir(parent)
            undo.append((os.rmdir, (parent,)))
    if not os.path.islink(source) and os.path.isfile(old) and not os.path.islink(old):
        _keep_mode(source, old)
    real = os.path.join(folder, path)
    if os.path.lexists(real):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), real)
    os.rename(source, real)
    undo.append((os.rename, (real, source)))


def _keep_mode(source, old):
    """A changed file keeps its permissions, but for a change of who may run it."""
    mode, new = (stat.S_IMODE(os.stat(path).st_mode) for path in (old, source))
    if new & stat.S_IXUSR:
        mode |= (mode & 0o444) >> 2
    else:
        mode &= ~0o111
    os.chmod(source, mode)
