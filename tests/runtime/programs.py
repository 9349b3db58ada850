"""Running whole programs under the guard or under tracing: rule pages, examples, and folders of demos.

``python -m tests.runtime.programs FOLDER`` runs every program of a folder in the format of `cases.jsonl` (a line for
each pair of `bad` and `good`, or with `file` for one that is right) and prints what was raised.
"""

from __future__ import annotations

import importlib.util
import json
import linecache
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import torch

from rnnshape_guard.runtime.tracing import Traced, run_traced

SEED = 20


def registered(program: str, filename: str) -> Any:
    """The program's code, with its text where tracebacks and the tracer find it."""
    linecache.cache[filename] = (len(program), None, program.splitlines(keepends=True), filename)
    return compile(program, filename, "exec")


def traced(program: str, filename: str) -> Traced:
    """Run a whole program under tracing."""
    code = registered(program, filename)
    names: dict[str, Any] = {"__name__": "program"}
    torch.manual_seed(SEED)
    return run_traced(lambda: exec(code, names))


def guarded(program: str) -> str:
    """The program with every module class under the guard."""
    head = "from rnnshape_guard import guard\n"
    return head + re.sub(r"^class (\w+)\(nn\.Module\):", r"@guard\nclass \1(nn.Module):", program, flags=re.MULTILINE)


def run(program: str, filename: str) -> dict[str, Any]:
    """Run a program as it is; its names."""
    names: dict[str, Any] = {"__name__": "program"}
    torch.manual_seed(SEED)
    exec(registered(program, filename), names)
    return names


def traced_demo(path: Path) -> Traced:
    """Run what a file's ``demo()`` returns: a function, its input, two axes, and perhaps lengths."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    torch.manual_seed(SEED)
    spec.loader.exec_module(module)
    function, given, *further = module.demo()
    lengths = [value for value in further[2:3] if isinstance(value, torch.Tensor)]
    return run_traced(function, (given, *lengths))


def main(folder: Path) -> int:
    """Run a folder of demos; prints a line for each that is not as it should be, and the score."""
    raised = faulty = alarms = right = 0
    for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        for key in ("bad", "good", "file"):
            if key not in case:
                continue
            result = traced_demo(folder / case[key])
            codes = [error.code for error in result.violations]
            if key == "bad":
                faulty += 1
                raised += bool(codes)
                print(f"{case[key]}: {', '.join(codes) or 'nothing'}")
            else:
                right += 1
                alarms += bool(codes)
                if codes or result.error is not None:
                    print(f"{case[key]}: FALSE ALARM {codes} {result.error!r}")
    print(f"{raised} of {faulty} faulty programs raise, {alarms} of {right} right ones do")
    return 0


if __name__ == "__main__":
    warnings.simplefilter("error")
    sys.exit(main(Path(sys.argv[1])))
