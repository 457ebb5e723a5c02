"""The SWE-bench harness grades what is exported for it, and its predictions are judged here."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support import swebench
from support.calc_repo import CalcRepo
from support.exported import source
from support.report_data import facts
from support.repos import Repo
from support.run_folders import written

from core.types import Outcome, Task, Verdict
from patchmark.cli import main
from patchmark.formats import swebench_repo
from patchmark.formats.swebench_repo import image_name
from sandbox.docker import DockerEngine

pytestmark = pytest.mark.docker
NOTHING = (
    "diff --git a/unused.txt b/unused.txt\nnew file mode 100644\n--- /dev/null\n+++ b/unused.txt\n"
    "@@ -0,0 +1 @@\n+nothing\n"
)


def predicted(path: Path, **patches: str) -> Path:
    rows = (
        {
            "instance_id": name.replace("_N", "-"),
            "model_name_or_path": "acme/m",
            "model_patch": diff,
        }
        for name, diff in patches.items()
    )
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.mark.skipif(shutil.which("docker") is None, reason="the harness calls `docker`")
def test_its_harness_resolves_the_real_fix_and_not_a_patch_that_does_nothing(
    tmp_path: Path, engine: DockerEngine, calc: CalcRepo, task: Task
) -> None:
    other = task.model_copy(update={"id": "d" * 12, "fix_commit": "d" * 40})
    names = {task.id: f"acme__calc-{calc.base[:9]}1", other.id: f"acme__calc-{calc.base[:9]}2"}
    gone = task.model_copy(update={"id": "e" * 12, "image": f"sha256:{'0' * 64}"})
    given = source(
        calc.repository,
        [task, other, gone],
        names={**names, gone.id: "acme__gone-1"},
        engine=lambda: engine,
    )
    try:
        (problem,) = swebench_repo.write(given, tmp_path / "repo")
        assert str(problem).startswith("acme__gone-1: it has no image")
        assert "is gone; run `patchmark validate` and export again" in problem.what
        built = swebench.run(tmp_path, "swebench", "dataset", "build", "repo", "-o", "data")
        assert built.returncode == 0, built.stderr
        right, wrong = names.values()
        patches = predicted(tmp_path / "p.jsonl", **{right: task.gold_patch, wrong: NOTHING})
        asked = ("eval", "data/shop", "-p", str(patches), "-j", "2", "--run-id", "r")
        # How it ends is not looked at: its last step looks at all containers of the engine.
        said = swebench.run(tmp_path, "swebench", *asked, endpoint=engine.endpoint)
        reports = tmp_path.glob("logs/run_evaluation/r/*/*/report.json")
        found = {k: v for path in reports for k, v in json.loads(path.read_bytes()).items()}
        assert {name: one["resolved"] for name, one in found.items()} == {
            right: True, wrong: False,
        }, said.stdout + said.stderr  # fmt: skip
        assert found[wrong]["tests_status"]["PASS_TO_PASS"]["failure"] == []
    finally:
        for name in names.values():
            engine.remove_image(image_name(name))


def test_patches_made_elsewhere_are_judged_as_an_entrant(
    tmp_path: Path, calc: CalcRepo, task: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = Repo(calc.repository.path)
    made = replace(facts({"reference": "P"}, tasks=[task]), dropped=())
    out = written(tmp_path / "run", repo, made)
    name = f"local__{calc.repository.path.name}-{task.id}"
    path = predicted(tmp_path / "p.jsonl", **{name: task.gold_patch, "other__x-1": NOTHING})
    with path.open("a") as more:
        for model, diff in (("idle", None), ("idle/2", NOTHING), ("lost", "no diff at all")):
            row = {"instance_id": task.id, "model_name_or_path": model, "model_patch": diff}
            more.write(f"{json.dumps(row)}\n")
    assert main(["judge", f"--out={out}", f"--predictions={path}"]) == 7
    assert "p.jsonl:2: other__x-1: no proven task of" in capsys.readouterr().err
    lines = (out / "verdicts.jsonl").read_text().splitlines()
    verdicts = {one.entrant: one.outcome for one in map(Verdict.model_validate_json, lines)}
    del verdicts["reference"]
    assert verdicts == {
        "predictions:acme/m": Outcome.PASSED,
        "predictions:idle": Outcome.NO_PATCH,
        "predictions:idle/2": Outcome.FAILED,
        "predictions:lost": Outcome.DOES_NOT_APPLY,
    }
    # Judged once, whoever asks again.
    main(["judge", f"--out={out}", f"--predictions={path}"])
    assert (out / "verdicts.jsonl").read_text().splitlines() == lines
    assert main(["report", f"--out={out}"]) == 0
    report = json.loads((out / "report.json").read_text())
    costs = {row["name"]: row["cost_usd"] for row in report["entrants"] if "acme" in row["name"]}
    assert costs == {"predictions:acme/m": None}
