"""Finds the one place of each hunk in the files as they are, and works out what must come of it.

Part of applying.py, whose words on old Python hold here too.
"""
MOST_FUZZ = 2
ANY = object()
"""The content of a file that only git can work out."""

_MOST_WORK = 30 * 1000 * 1000  # lines compared; a count, so that the answer is always the same


class NotFound(Exception):
    """A hunk fits nowhere."""


class Ambiguous(Exception):
    """A hunk fits in more than one place."""


class Plan(object):
    """A diff whose hunks stand where they belong.

    `text` is the diff for git, `wanted` what each file must hold after it (None: be gone), `words`
    what was mended. `base`, where given, reads the blob that a section's index line names.
    """

    def __init__(self, sections, before, fuzz, base=None):
        self.wanted, self.words = {}, set()
        self._fuzz, self._base, self._work = fuzz, base, 0
        held = {path: content for path, (_, content) in before.items()}
        self.text = b"".join(self._section(section, held) for section in sections)

    def _section(self, section, held):
        old, new = section.old, section.new
        hunks, made = [], held.get(old) if old is not None else b""
        if section.binary:
            made = ANY
        elif section.hunks:
            hunks, made = self._hunks(section, made)
        if old is not None and section.value(b"copy from") is None:
            self.wanted[old] = held[old] = None
        if new is not None:
            self.wanted[new] = held[new] = made
        return section.text(hunks)

    def _hunks(self, section, content):
        name = (section.old or section.new).decode("utf-8", "backslashreplace")
        if content is None or content is ANY:
            raise NotFound("{}: no such file".format(name))
        try:
            return self._fit(name, _lines(content), section.hunks)
        except NotFound:
            known = section.value(b"index")
            if self._base is None or known is None:
                raise
            base = self._base(known.split(b"..")[0])
            return self._fit(name, _lines(base), section.hunks)[0], ANY

    def _fit(self, name, lines, hunks):
        """The hunks with their true numbers, and the content they make."""
        bodies = [hunk.lines for hunk in hunks]
        if _is_crlf(lines) and not any(_has_cr(body) for body in bodies):
            self.words.add("crlf")
            bodies = [[(sign, _with_cr(line)) for sign, line in body] for body in bodies]
        index = {}
        for at, line in enumerate(lines):
            index.setdefault(line, []).append(at)
        placed = []
        for hunk, body in zip(hunks, bodies):
            if not _old(body) and (lines or len(hunks) > 1):
                raise Ambiguous("{}: a hunk has no line that tells its place".format(name))
            try:
                placed.append(self._place(lines, index, hunk.start, body) + (hunk,))
            except (NotFound, Ambiguous) as error:
                where = "{}, hunk for line {}: {}".format(name, hunk.start, error)
                raise type(error)(where) from None
        placed.sort(key=lambda item: item[0])
        return self._joined(name, lines, placed)

    def _joined(self, name, lines, placed):
        made, fitted, end = [], [], 0
        for at, body, hunk in placed:
            while at < end and body and body[0][0] == b" ":  # hunks may share lines of context
                at, body = at + 1, body[1:]
            if at < end:
                raise Ambiguous("{}: two hunks overlap".format(name))
            made += lines[end:at]
            old, new = len(_old(body)), _new(body)
            fitted.append(hunk.at(at + bool(old), len(made) + bool(new), body))
            made += new
            end = at + old
        return fitted, b"".join(made + lines[end:])

    def _place(self, lines, index, start, body):
        """(where a hunk's lines stand, the hunk's lines less the context that does not fit)."""
        old = _old(body)
        stated = max(start - 1, 0)
        context = any(sign == b" " for sign, _ in body)
        # With nothing but the number to tell it from another place, a hunk is not certain.
        if not old:
            return 0, body
        told = start and context and _anchored(body, stated, len(lines))
        if told and lines[stated : stated + len(old)] == old:
            return stated, body
        for fuzz in range(self._fuzz + 1):
            dropped, kept = _trimmed(body, fuzz)
            ended = _unended(kept, lines)
            for tried, words in ((kept, []), (ended, ["newline"])):
                at = self._search(lines, index, tried) if tried else None
                if at is not None:
                    self.words.update(words + ["offset"] * (at - dropped != stated))
                    return at, tried
        raise NotFound("its lines are not in the file, or not where they can be")

    def _search(self, lines, index, body):
        """The one index at which a hunk fits; None where it does not. Raises Ambiguous."""
        old = _old(body)
        if not old:
            raise Ambiguous("too little of it is in the file")
        shift = min(range(len(old)), key=lambda at: len(index.get(old[at], ())))
        found = []
        for at in index.get(old[shift], ()):
            self._work += len(old)
            if self._work > _MOST_WORK:
                raise Ambiguous("takes too long to find")
            first = at - shift
            fits = first >= 0 and lines[first : first + len(old)] == old
            if fits and _anchored(body, first, len(lines)):
                found.append(first)
            if len(found) > 1:
                raise Ambiguous("its lines stand in several places")
        return found[0] if found else None


def name_created(sections, before):
    """Makes creations of hunks that add to nothing, in files that are not there; true if any."""
    some = False
    for section in sections:
        only = section.hunks[0] if len(section.hunks) == 1 else None
        fits = section.old is not None and section.old == section.new
        if only and fits and section.old not in before and not only.start and not _old(only.lines):
            section.extended.append(b"new file mode 100644")
            section.old, section.raw, some = None, False, True
    return some


def _old(body):
    return [line for sign, line in body if sign != b"+"]


def _new(body):
    return [line for sign, line in body if sign != b"-"]


def _lines(content):
    parts = content.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _is_crlf(lines):
    ended = [line for line in lines if line.endswith(b"\n")]
    return bool(ended) and all(line.endswith(b"\r\n") for line in ended)


def _has_cr(body):
    return any(line.endswith((b"\r\n", b"\r")) for _, line in body)


def _with_cr(line):
    return line[:-1] + b"\r\n" if line.endswith(b"\n") else line


def _anchored(body, at, size):
    """Whether lines are added in a place that is known from both of its sides.

    As for git, a hunk that adds at its start or end belongs to the file's; without that, the line
    that should come next may have been lost. Where it replaces lines, these tell the place.
    """
    signs = b"".join(sign for sign, _ in body)
    starts = signs.startswith(b"+") and signs.lstrip(b"+").startswith(b" ")
    ends = signs.endswith(b"+") and signs.rstrip(b"+").endswith(b" ")
    return (not starts or at == 0) and (not ends or at + len(_old(body)) == size)


def _trimmed(body, fuzz):
    """A hunk without the context furthest out: (lines dropped before it, the rest)."""
    first, last = 0, len(body)
    while first < min(fuzz, last) and body[first][0] == b" ":
        first += 1
    while last > first and len(body) - last < fuzz and body[last - 1][0] == b" ":
        last -= 1
    return first, body[first:last]


def _unended(body, lines):
    """The hunk for a file whose last line has no end, which the diff does not say; else None.

    The file stays as it was in this: without an end before, without an end after.
    """
    old = _old(body)
    if not old or not lines or lines[-1].endswith(b"\n") or old[-1] != lines[-1] + b"\n":
        return None
    last = max(at for at, (sign, _) in enumerate(body) if sign != b"+")
    sign, line = body[last]
    if sign == b" " and last < len(body) - 1:
        split = [(b"-", line[:-1]), (b"+", line)]
    else:
        split = [(sign, line[:-1])]
    rest = body[last + 1 :]
    if not rest and sign == b"-":  # lines before it become the file's last: they keep their ends
        return body[:last] + split
    if rest and rest[-1][1].endswith(b"\n"):
        rest = rest[:-1] + [(rest[-1][0], rest[-1][1][:-1])]
    return body[:last] + split + rest
