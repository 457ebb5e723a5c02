"""A step of a job as GitHub's runner prepares it, and a stand-in for the command line."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from core.report import Report
from reports import files


@dataclass
class Program:
    """Stands for the command line: writes this report and ends with this code."""

    report: Report | None
    code: int = 0
    prints: str = ""
    calls: list[list[str]] = field(default_factory=list)

    def __call__(self, arguments: list[str]) -> int:
        self.calls.append(arguments)
        sys.stdout.write(f"{self.prints}\n")
        if self.report:
            (out,) = (item.partition("=")[2] for item in arguments if item.startswith("--out="))
            files.write(self.report, Path(out))
        return self.code


@dataclass(frozen=True)
class Step:
    """A step of a job, as the runner prepares it."""

    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        """The step's variables."""
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.folder),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_REPOSITORY": "owner/sample",
            "PATCHMARK_INPUT_GITHUB_TOKEN": "ghs_0123456789",
            **more,
        }

    def event(self, **event: object) -> dict[str, str]:
        """The variable that names the event's file."""
        path = self.folder / "event.json"
        path.write_text(json.dumps(event), encoding="utf-8")
        return {"GITHUB_EVENT_PATH": str(path)}

    def pull_request(self, head: str = "owner/sample") -> dict[str, str]:
        """An event of pull request 7."""
        repository = {"full_name": head} if head else None
        return self.event(pull_request={"number": 7, "head": {"repo": repository}})

    @property
    def summary(self) -> str:
        """What the job summary says."""
        path = self.folder / "summary.md"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs, read the way the runner reads them."""
        path = self.folder / "output"
        lines = iter(path.read_text(encoding="utf-8").splitlines() if path.exists() else [])
        found = {}
        for line in lines:
            name, _, delimiter = line.partition("<<")
            found[name] = "\n".join(iter(lambda: next(lines), delimiter))
        return found
