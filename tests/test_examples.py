"""The programs of `examples/`: the good ones run, say their shapes and are silent; each broken one is what it says.

A broken program's docstring promises what PyTorch does about its mistake and which rule finds it, and a comment marks
the line. Both promises are held: the error is raised, or the silent harm is measured, and measured again to be gone
once the mistake is mended; the checker reports the marked line and nothing else, and is silent on the mended program.
"""

import ast
import builtins
import inspect
import json
import os
import re
import runpy
import subprocess
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parent.parent
GOOD = {path.stem: path for path in sorted((ROOT / "examples").glob("*.py"))}
BROKEN = {path.stem: path for path in sorted((ROOT / "examples" / "broken").glob("*.py"))}
MARK = re.compile(r"# (error|warning|note): \[(RSG\d{3})\]$")

# What a reader is promised to see, in this order.
PROMISED = {
    "windows_one_feature": ["[1.0, 2.0, 3.0] -> 4.0", "(2, 3) =", "(2, 3, 1) = (batch, time, feature)", "(3, 2, 1) ="],
    "windows_two_features": ["(2, 3, 2) = (batch, time, feature)", "(3, 2, 2) = (time, batch, feature)"],
    "both_layouts": ["x    (2, 3, 2)", "h_n  (2, 2, 5)", "x    (3, 2, 2)", "h_n  (2, 2, 5)", "out True, h_n True"],
    "last_step": ["x         (2, 3, 2)", "last step (2, 5)", "forecast  (2, 2)"],
    "last_state": ["h_n        (2, 2, 5)", "last layer (2, 5)", "forecast   (2, 2)", "output: True"],
    "bidirectional_last_step": ["out       (2, 3, 10)", "both ends (2, 10)", "forecast  (2, 2)"],
    "bidirectional_last_state": ["h_n         (4, 2, 5)", "both states (2, 10)", "forecast    (2, 2)", "output: True"],
    "regression": [
        "windows (4, 3, 2)",
        "targets (4, 2)",
        "(2, 2) against (2, 2)",
        "forecast (4.0, 14.0), truth (4, 14)",
    ],
    "classification": ["x       (2, 3, 1)", "scores  (2, 2)", "labels  (2,)", "right: 10 of 10"],
    "probe_lost_order": [
        "1  · · · ✗",
        "mixed: sample 0 of `output` depends on sample 1 of `x`",
        "3  · · · ■",
        "independent: NaN put into one sample reached no other",
    ],
    "guarded_class": [
        "(3, 3, 2) = (batch, time, feature) gives (3, 2)",
        "[RSG101] `self.rnn` reads axis 0 of `x` as time, but it is the batch",
        "guarded_class.py:25:",
        "= expected:      (time, batch, feature)",
        "where batch:   3 (axis 0 of `x`)",
        "help: nn.GRU(features, **json.loads(settings), batch_first=True)",
    ],
    "guarded_contract": [
        "(2, 3, 3) = (batch, time, tag)",
        "[RSG901] axis 2 of `lstm: output` is 5, but `2*hidden` is 10",
        "because: `lstm` is stated as",
        "(2, 4) = (batch, feature)",
        "[RSG901] axis 0 of `windows.mean(self.axis)` is 3, but `batch` is 2",
    ],
    "guarded_function": [
        "targets (4, 1): the loss is",
        "the loss would be of (4, 4) pairs",
        "code     RSG901",
        "message  `batch.targets` has 1 axis, but `batch 1` names 2",
        "expected (batch = 4, 1)",
        "found    (4)",
    ],
    "guarded_instance": [
        "bare, it runs: (2, 2)",
        "[RSG402] the reverse half of `out[:, -1]` has seen one step only",
        "broken/half_seen_last_step.py:22:",
        "it runs again: (2, 2)",
        "[RSG401] `out[-1]` is the last sample of the batch, not the last step",
        "broken/last_window_for_last_step.py:22:",
    ],
    "guarded_suite": [
        "PyTorch says: Expected hidden size (2, 4, 5), got [4, 2, 5]",
        "[RSG502] `state` is batch-first",
        "guarded_suite.py:23:",
        "expected: (layers·directions = 2, batch, hidden = 5)",
    ],
    "probed": [
        "2  ✗ ✗ ■ ·",
        "mixed: sample 1 of `output` depends on sample 0 of `x`",
        "with batch_first=True: right.independent=True",
    ],
    "traced": [
        "19    nn.GRU     (batch = 3, time = 6, direction·hidden = 10) (layer·direction = 4, batch = 3, hidden = 5)",
        "20    cat        (batch = 3, hidden = 10)",
        "21    nn.Linear  (batch = 3, ",
    ],
    "classification_per_step": ["scores  (2, 3, 2)", "(2, 2, 3) = (batch, class, time)", "right: 15 of 15 steps"],
}

# The edits that mend each broken program.
MENDED = {
    "batch_first_forgotten": [("num_layers=2)", "num_layers=2, batch_first=True)")],
    "classes_on_last_axis": [("(scores, labels)", "(scores.permute(0, 2, 1), labels)")],
    "half_seen_last_step": [("out, _ =", "_, h_n ="), ("out[:, -1]", "torch.cat([h_n[-2], h_n[-1]], dim=-1)")],
    "initial_state_batch_first": [("x.size(0), self.layers, self.hidden", "self.layers, x.size(0), self.hidden")],
    "last_window_for_last_step": [("out[-1]", "out[:, -1]")],
    "linear_of_one_direction": [("nn.Linear(hidden,", "nn.Linear(2 * hidden,")],
    "linear_of_one_state": [("nn.Linear(hidden,", "nn.Linear(2 * hidden,")],
    "linear_over_whole_state": [("self.head(h_n)", "self.head(torch.cat([h_n[-2], h_n[-1]], dim=-1))")],
    "loss_of_column_and_row": [("windows[:, -1, 0]", "windows[:, -1]")],
    "one_direction_of_state": [
        ("nn.Linear(hidden,", "nn.Linear(2 * hidden,"),
        ("last = h_n[-1]", "last = torch.cat([h_n[-2], h_n[-1]], dim=-1)"),
    ],
    "state_flattened": [("h_n.view(batch, -1)", "h_n.transpose(0, 1).reshape(batch, -1)")],
    "view_instead_of_permute": [("x.view(time, batch, features)", "x.permute(1, 0, 2)")],
    "windows_without_feature_axis": [
        ("nn.RNN(window,", "nn.RNN(1,"),
        ("self.rnn(x)", "self.rnn(x.unsqueeze(-1))"),
        ("self.head(out)", "self.head(out[:, -1])"),
    ],
}


def mend(name: str) -> str:
    """The source of a broken program with its mistake mended and its mark gone."""
    source = BROKEN[name].read_text(encoding="utf-8")
    for wrong, right in MENDED[name]:
        assert source.count(wrong) == 1, f"{name}: {wrong!r} is to stand there once"
        source = source.replace(wrong, right)
    return re.sub(r"  # (error|warning|note): \[RSG\d{3}\]", "", source)


@pytest.fixture(scope="module")
def mended_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mended")
    for name in MENDED:
        (folder / f"{name}.py").write_text(mend(name), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def own_random_state() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def run_main(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a program prints when it is run as a script, without arguments."""
    with mock.patch.object(sys, "argv", [str(path)]):
        runpy.run_path(str(path), run_name="__main__")
    return capsys.readouterr().out


def assert_in_order(output: str, promised: list[str]) -> None:
    place = 0
    for words in promised:
        found = output.find(words, place)
        assert found >= 0, f"{words!r} is not printed where it was promised:\n{output}"
        place = found + len(words)


def test_every_good_program_promises_something() -> None:
    assert GOOD.keys() == PROMISED.keys()


@pytest.mark.parametrize("name", GOOD)
def test_good_program_prints_its_shapes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert_in_order(run_main(GOOD[name], capsys), PROMISED[name])


def test_a_program_runs_from_the_shell() -> None:
    done = subprocess.run(
        [sys.executable, str(GOOD["both_layouts"])], capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert_in_order(done.stdout, PROMISED["both_layouts"])


def test_the_suite_runs_under_the_option_of_pytest() -> None:
    options = ["-p", "no:cacheprovider", "-p", "rnnshape_guard.runtime.pytest_plugin", "--rnnshape-guard"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(GOOD["guarded_suite"])],
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert_in_order(done.stdout, ["every recurrent layer is guarded", "1 passed"])


def test_the_probe_draws_its_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "probe.png"
    monkeypatch.setattr(sys, "argv", ["probed.py", str(picture)])
    runpy.run_path(str(GOOD["probed"]), run_name="__main__")
    assert capsys.readouterr().out.endswith(f"as a picture: {picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", GOOD)
def test_importing_a_good_program_runs_nothing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = runpy.run_path(str(GOOD[name]), run_name="example")
    assert callable(program["main"])
    assert capsys.readouterr().out == ""


# What the broken programs say of themselves.


def read_docstring(name: str) -> tuple[str, str]:
    """The two sentences of a broken program's docstring: what is wrong, and what PyTorch and the checker make of it."""
    docstring = ast.get_docstring(ast.parse(BROKEN[name].read_text(encoding="utf-8"))) or ""
    wrong, outcome = [line for line in docstring.splitlines() if line]
    return wrong, outcome


def read_marks(path: Path) -> set[tuple[int, str, str]]:
    """Each mark of a program: row, severity, code."""
    return {
        (row, *match.groups())
        for row, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (match := MARK.search(line))
    }


@pytest.mark.parametrize("name", BROKEN)
def test_docstring_and_mark_name_the_same_rule(name: str) -> None:
    _, outcome = read_docstring(name)
    promise = re.search(r"; found by (RSG\d{3}), ([a-z-]+)\.$", outcome)
    assert promise, outcome
    code, rule = promise.groups()
    assert [mark[2] for mark in read_marks(BROKEN[name])] == [code]
    page = ROOT / "rules" / f"{code}-{rule}.md"
    assert page.exists(), f"{page.name} is no page of the rule book"


@pytest.mark.parametrize("name", BROKEN)
def test_pytorch_does_what_the_docstring_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, outcome = read_docstring(name)
    if raised := re.match(r'PyTorch raises (\w+), "([^"]+)"', outcome):
        with pytest.raises(getattr(builtins, raised[1]), match=re.escape(raised[2])):
            run_main(BROKEN[name], capsys)
    elif "UserWarning" in outcome:
        with pytest.warns(UserWarning, match="Using a target size"):
            assert run_main(BROKEN[name], capsys)
    else:
        assert outcome.startswith("PyTorch runs it in silence")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert run_main(BROKEN[name], capsys)


@pytest.mark.parametrize("name", BROKEN)
def test_mended_program_runs_without_a_word_from_pytorch(
    name: str, mended_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run_main(mended_folder / f"{name}.py", capsys)


# The harm of those that run, measured.

SIZES = {"features": 2, "hidden": 5, "layers": 1, "window": 3, "classes": 2}


def build_model(program: dict[str, Any]) -> nn.Module:
    kind = next(value for value in program.values() if isinstance(value, type) and issubclass(value, nn.Module))
    return kind(**{name: SIZES[name] for name in inspect.signature(kind).parameters})


def mixes_windows(program: dict[str, Any], x: Tensor) -> bool:
    """Whether the second window's result moves with the first window."""
    model = build_model(program)
    changed = x.clone()
    changed[0] = 0.0
    return not torch.allclose(model(changed)[1], model(x)[1])


def ignores_windows(program: dict[str, Any], x: Tensor) -> bool:
    """Whether nothing in the result moves with the first window."""
    model = build_model(program)
    changed = x.clone()
    changed[0] = 0.0
    return torch.allclose(model(changed), model(x))


def leaves_weights_untrained(program: dict[str, Any], x: Tensor) -> bool:
    """Whether a parameter gets no gradient."""
    model = build_model(program)
    model(x).square().sum().backward()
    return any(parameter.grad is None or not parameter.grad.any() for parameter in model.parameters())


def charges_for_other_targets(program: dict[str, Any], x: Tensor) -> bool:
    """Whether the loss of a batch is not the mean of its windows' losses."""
    model = build_model(program)
    each = [program["compute_loss"](model, x[number : number + 1]) for number in range(len(x))]
    return not torch.allclose(program["compute_loss"](model, x), torch.stack(each).mean(), rtol=1e-3)


Measure = Callable[[dict[str, Any], Tensor], bool]
HARM: dict[str, tuple[Measure, tuple[int, ...]]] = {
    "batch_first_forgotten": (mixes_windows, (2, 3, 2)),
    "half_seen_last_step": (leaves_weights_untrained, (2, 3, 2)),
    "last_window_for_last_step": (ignores_windows, (2, 3, 2)),
    "loss_of_column_and_row": (charges_for_other_targets, (2, 4, 1)),
    "one_direction_of_state": (leaves_weights_untrained, (2, 3, 2)),
    "state_flattened": (mixes_windows, (2, 3, 2)),
    "view_instead_of_permute": (mixes_windows, (2, 3, 2)),
    "windows_without_feature_axis": (mixes_windows, (2, 3)),
}


def test_the_harm_of_every_program_that_runs_is_measured() -> None:
    assert HARM.keys() == {name for name in BROKEN if read_docstring(name)[1].startswith("PyTorch runs it")}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", HARM)
def test_harm_is_there_and_goes_with_the_mend(name: str, mended_folder: Path) -> None:
    harms, size = HARM[name]
    x = torch.randn(size)
    assert harms(runpy.run_path(str(BROKEN[name])), x)
    assert not harms(runpy.run_path(str(mended_folder / f"{name}.py")), x)


# What the checker says.

Reported = dict[Path, set[tuple[int, str, str]]]


@pytest.fixture(scope="module")
def reported(mended_folder: Path) -> Reported:
    """Each finding (row, severity, code) by its file, from one run over all programs, the mended ones among them."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "rnnshape_guard",
            "check",
            "--output-format",
            "json",
            "--exit-zero",
            "examples",
            mended_folder,
        ],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    findings = defaultdict(set)
    for finding in json.loads(done.stdout):
        place = (finding["location"]["row"], finding["severity"], finding["code"])
        findings[(ROOT / finding["filename"]).resolve()].add(place)
    return findings


@pytest.mark.parametrize("name", GOOD)
def test_checker_is_silent_on_good_program(name: str, reported: Reported) -> None:
    assert reported[GOOD[name]] == set()


@pytest.mark.parametrize("name", BROKEN)
def test_checker_reports_the_marked_line_alone(name: str, reported: Reported) -> None:
    assert reported[BROKEN[name]] == read_marks(BROKEN[name])


@pytest.mark.parametrize("name", BROKEN)
def test_checker_is_silent_on_mended_program(name: str, reported: Reported, mended_folder: Path) -> None:
    assert reported[(mended_folder / f"{name}.py").resolve()] == set()


# The guided tour.


def test_tour_names_every_program_and_its_rule() -> None:
    tour = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(((?:broken/)?\w+\.py)\)", tour))
    assert linked == {f"{name}.py" for name in GOOD} | {f"broken/{name}.py" for name in BROKEN}
    for name, path in BROKEN.items():
        ((_, _, code),) = read_marks(path)
        assert re.search(rf"broken/{name}\.py\).*\b{code}\b", tour), f"{name}: the tour's row does not name {code}"
