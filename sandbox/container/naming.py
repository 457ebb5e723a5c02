"""Which file each section of a diff is about, whatever stands before its name: a/, old/, nothing.

Part of mending.py, whose words on old Python hold here too.
"""
import re

_DATE = re.compile(br"[ \t]+\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*\Z", re.S)
# What `diff -N` says of a file that is not there, in any time zone.
_EPOCH = re.compile(br"\s(1970-01-01|1969-12-31)[ T]\d\d:\d\d:00(\.0+)?(Z|\s|\Z)")
_QUOTED = re.compile(br'"((?:[^"\\]|\\.)*)"', re.S)
_TWO_QUOTED = re.compile(br'("(?:[^"\\]|\\.)*"|[^"]*?) ("(?:[^"\\]|\\.)*"|[^"]*)\Z', re.S)
_ESCAPE = re.compile(br'\\([abtnvfr"\\]|[0-7]{3})')
_PLAIN = dict(zip(b'abtnvfr"\\', (b"\a", b"\b", b"\t", b"\n", b"\v", b"\f", b"\r", b'"', b"\\")))
_SPECIAL = re.compile(br'[\x00-\x1f\x7f"\\]')
_USUAL = (b"a/", b"b/")
_NO_FILE = b"/dev/null"
_LONGEST = 5000  # more than a path may have
_MOST_FILES = 2000


class Unsure(Exception):
    """A diff can be read in more ways than one, or in none."""


def name_all(sections, words):
    """Sets `old`, `new` and `raw` of all sections; adds to the words for what was mended."""
    if len(sections) > _MOST_FILES:
        raise Unsure("more than {} files".format(_MOST_FILES))
    seen = []  # the prefixes of files that both sides name: a one-sided name is read like these
    for one_sided in (False, True):
        for section in sections:
            ends = _ends(section)
            if any(ends) == one_sided:
                _settle(section, ends, _name_one(section, ends, seen), words)


def written(prefix, path, last=False):
    """A name as git writes it; where it is the line's last, a tab ends one with spaces."""
    if path is None:
        return _NO_FILE
    if _SPECIAL.search(path):
        special = _SPECIAL.sub(lambda match: b"\\%03o" % ord(match.group()), path)
        return b'"' + prefix + special + b'"'
    return prefix + path + (b"\t" if last and b" " in path else b"")


def _ends(section):
    """Whether the file is created, whether it is deleted."""
    if any(len(line) > _LONGEST for line in (section.named or []) + section.extended):
        raise Unsure("a file's name is too long")
    old, new = section.named or (b"", b"")
    created = section.value(b"new file mode") is not None or _is_none(old)
    deleted = section.value(b"deleted file mode") is not None or _is_none(new)
    if created and deleted:
        raise Unsure("a file that is neither before nor after")
    return created, deleted


def _is_none(name):
    return _clean(name) == _NO_FILE or _EPOCH.search(name) is not None


def _name_one(section, ends, seen):
    """Sets the section's paths; returns the prefixes its headers have."""
    head = _head_names(section.head[11:]) if section.head else None
    names = [_clean(name) for name in section.named] if section.named else None
    moved = _moved(section)
    if moved:
        section.old, section.new = moved
        if not names:
            return _USUAL
        if not all(name.endswith(path) for name, path in zip(names, moved)):
            raise Unsure("the headers of a section disagree")
        return tuple(name[: len(name) - len(path)] for name, path in zip(names, moved))
    if not names and not head:
        raise Unsure("a section names no file")
    if any(ends):
        side = 0 if ends[1] else 1
        path, prefixes = _both(*head) if head else _one_sided(names[side], side, seen)
    else:
        path, prefixes = _both(*(names or head))
        if prefixes not in seen:
            seen.append(prefixes)
    if head and _both(*head)[0] != path:
        raise Unsure("the headers of a section disagree")
    section.raw = head is not None
    section.old, section.new = (None if ends[0] else path), (None if ends[1] else path)
    return prefixes


def _moved(section):
    for kind in (b"rename", b"copy"):
        pair = section.value(kind + b" from"), section.value(kind + b" to")
        if None not in pair:
            return _clean(pair[0], False), _clean(pair[1], False)
        if pair != (None, None):
            raise Unsure("half a rename")
    return None


def _settle(section, ends, prefixes, words):
    """Marks those headers for replacement that git would not read, or read otherwise."""
    if not section.raw or (section.hunks and not section.named):
        section.raw = False
        words.add("headers")
    for kind, holds in ((b"new", ends[0]), (b"deleted", ends[1])):
        if holds and section.value(kind + b" file mode") is None:
            section.extended.insert(0, kind + b" file mode 100644")
            words.add("headers")
    if prefixes != _USUAL:
        section.raw = False
        words.add("prefix")
    for name, prefix, path in zip(section.named or (), _USUAL, (section.old, section.new)):
        wanted = _NO_FILE if path is None else prefix + path
        if section.raw and _clean(name[:-1] if name.endswith(b"\t") else name, False) != wanted:
            section.raw = False
            words.add("headers")


def _both(old, new):
    """(path, prefixes) of two names that mean one file. Raises Unsure."""
    rests = old.partition(b"/")[2], new.partition(b"/")[2]
    if (old[:2], new[:2]) == _USUAL and rests[0] == rests[1]:
        return rests[0], _USUAL
    if old == new:
        return (old[2:] if old.startswith(b"./") else old), (b"", b"")
    for longer, name in ((old, new), (new, old)):
        if longer in (b"a/" + name, b"b/" + name):
            return name, (b"", b"")
    if rests[0] and rests[0] == rests[1] and b"/" not in (old[:1], new[:1]):
        return rests[0], tuple(name[: len(name) - len(rests[0])] for name in (old, new))
    raise Unsure("a section names two files, but no rename")


def _one_sided(name, side, seen):
    """The same of the one name that a created (side 1) or deleted (side 0) file has."""
    usual = [_USUAL] if (b"", b"") not in seen else []
    fitting = [pair for pair in seen + usual if pair[side] and name.startswith(pair[side])]
    if fitting:
        return name[len(fitting[0][side]) :], fitting[0]
    return (name[2:] if name.startswith(b"./") else name), (b"", b"")


def _head_names(rest):
    """Both names of `diff --git X Y`; None where they cannot be told apart."""
    if len(rest) > 2 * _LONGEST or rest.count(b" ") > 200:
        raise Unsure("a file's name is too long")
    if b'"' in rest:
        found = _TWO_QUOTED.match(rest)
        splits = [found.groups()] if found else []
    else:
        spaces = [at for at in range(len(rest)) if rest[at : at + 1] == b" "]
        splits = [(rest[:at], rest[at + 1 :]) for at in spaces]
    for names in splits:
        try:
            names = [_clean(name, False) for name in names]
            _both(*names)
            return names
        except Unsure:
            continue
    return None


def _clean(name, cut=True):
    """A name without its quotes and, where `cut`, without the date after it."""
    quoted = _QUOTED.match(name)
    if quoted and (cut or quoted.group() == name):
        return _ESCAPE.sub(_unescaped, quoted.group(1))
    if not cut:
        return name
    return name.split(b"\t")[0] if b"\t" in name else _DATE.sub(b"", name).rstrip()


def _unescaped(match):
    code = match.group(1)
    return bytes(bytearray([int(code, 8) & 255])) if len(code) == 3 else _PLAIN[ord(code)]
