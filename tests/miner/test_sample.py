"""What is mined from the sample repository, line by line, for a person to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.mining import mined
from support.repos import Repo

from core.types import Candidate, Dropped
from miner.file_tracker import read_tracker

SAMPLE = Path(__file__).parents[2] / "patchmark" / "sample"


def line(record: Candidate | Dropped) -> str:
    if isinstance(record, Dropped):
        detail = f" ({record.detail})" if record.detail else ""
        return f"{record.commit[:12]}  dropped: {record.reason.value}{detail}  {record.title}"
    where = f"#{record.issue}" if record.issue else "-"
    files = " ".join((*record.source_files, *record.test_files))
    head = f"{record.id}  candidate  {record.statement_source.value} {where}  {record.title}"
    return f"{head}\n{'':14}{files}"


def test_the_sample(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    repo = Repo(tmp_path)
    repo.git("fast-import", "--quiet", stdin=(SAMPLE / "history.fast-export").read_bytes())
    records = mined(repo, read_tracker(SAMPLE / "issues.json"))
    golden("mined-sample.txt", "\n".join(line(record) for record in records) + "\n")
