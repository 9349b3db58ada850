"""What stands after the recurrent part, and the training code that feeds the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.fuzz.draft import Block, Class, Draft, Wrong
from benchmarks.fuzz.program import Input, Line
from benchmarks.fuzz.recurrent import Layout, Rnn, Tensor
from benchmarks.fuzz.sizes import Size

Task = Literal["classes", "regression", "tags", "series"]


@dataclass(frozen=True, slots=True)
class Head:
    """What the forward returns: the task it is for, the number of scores, and whether they are log-probabilities."""

    task: Task
    scores: Size
    logarithms: bool = False
    squeezed: bool = False


def wrong_widths(rnn: Rnn | None, width: Size) -> list[tuple[str, str]]:
    """Wrong spellings of a Linear's in_features, with their kinds."""
    out = [("Linear of wrong size", f"{width.init} + 1")]
    if rnn is None:
        return out
    if rnn.directions == 2:
        if width.value != rnn.state.value:
            out.append(("directions forgotten in a Linear", rnn.state.init))
    else:
        out.append(("Linear doubled without need", f"{width.init} * 2"))
    return out


def for_vector(cls: Class, rnn: Rnn | None, name: str, width: Size, task: Task) -> Head:
    """A head on one vector a sample; it writes the forward's return."""
    draft = cls.draft
    scores = cls.size(draft.quantity("classes")) if task == "classes" else Size(1, "1", lambda: "1")
    style = draft.rng.randrange(5)
    head = draft.pick("fc", "linear", "head", "out", "classifier", "decoder")
    wrongs = wrong_widths(rnn, width)
    if style == 0:
        middle = cls.size(draft.quantity("middle", 3) if "middle" in draft.quantities else draft.quantity("middle"))
        dropout = "nn.Dropout(0.1), " if draft.chance(0.4) else ""

        def text(size: str) -> str:
            return f"self.{head} = nn.Sequential(nn.Linear({size}, {middle.init}), nn.ReLU(), {dropout}nn.Linear({middle.init}, {scores.init}))"

    elif style == 1:
        middle = cls.size(draft.quantity("middle"))
        cls.init.add(
            f"self.fc1 = nn.Linear({width.init}, {middle.init})",
            "head",
            [Wrong(kind, f"self.fc1 = nn.Linear({size}, {middle.init})", "head-call") for kind, size in wrongs],
        )
        cls.forward.add(f"{name} = F.relu(self.fc1({name}))", "head-call")
        wrongs = wrong_widths(None, middle)
        width = middle

        def text(size: str) -> str:
            return f"self.{head} = nn.Linear({size}, {scores.init})"

    else:
        if draft.chance(0.15):
            cls.init.add(f"self.norm_out = nn.{draft.pick('BatchNorm1d', 'LayerNorm')}({width.init})", "head")
            cls.forward.add(f"{name} = self.norm_out({name})", "head-call")
        if draft.chance(0.2):
            cls.init.add("self.drop = nn.Dropout(0.3)")
            cls.forward.add(f"{name} = self.drop({name})")

        def text(size: str) -> str:
            return f"self.{head} = nn.Linear({size}, {scores.init})"

    cls.init.add(text(width.init), "head", [Wrong(kind, text(size), "head-call") for kind, size in wrongs])
    return returned(cls, head, name, task, scores)


def returned(cls: Class, head: str, name: str, task: Task, scores: Size) -> Head:
    """Return what the Linear called `head` makes of one vector a sample."""
    draft = cls.draft
    if task == "classes":
        if draft.chance(0.25):
            soft, axis = draft.pick("F.log_softmax", "torch.log_softmax"), draft.pick("1", "-1")
            text = f"return {soft}(self.{head}({name}), dim=@)"
            cls.forward.add(
                text.replace("@", axis), "head-call", [Wrong("softmax over the batch", text.replace("@", "0"), "")]
            )
            return Head(task, scores, logarithms=True)
        cls.forward.add(f"return self.{head}({name})", "head-call")
        return Head(task, scores)
    squeeze = draft.pick("", ".squeeze(-1)", ".squeeze(1)", ".view(-1)", "[:, 0]")
    wrong = (
        [Wrong("squeeze() of everything", f"return self.{head}({name}).squeeze()", "", needs="free")]
        if "squeeze" in squeeze
        else []
    )
    if squeeze:
        wrong.append(Wrong("score axis kept", f"return self.{head}({name})", "loss head", needs="loss"))
    cls.forward.add(f"return self.{head}({name}){squeeze}", "head-call", wrong)
    return Head(task, scores, squeezed=bool(squeeze))


def for_sequence(cls: Class, rnn: Rnn | None, out: Tensor, task: Task) -> Head:
    """A head on every step; it writes the forward's return, in the output's layout."""
    draft = cls.draft
    scores = cls.size(draft.quantity("classes")) if task == "tags" else Size(1, "1", lambda: "1")
    head = draft.pick("fc", "hidden2tag", "head", "linear", "decoder", "classifier")
    flat = draft.chance(0.2)
    wrongs = wrong_widths(rnn, out.width)

    def text(size: str) -> str:
        return f"self.{head} = nn.Linear({size}, {scores.init})"

    cls.init.add(text(out.width.init), "head", [Wrong(kind, text(size), "head-call") for kind, size in wrongs])
    name = out.name
    if flat:
        a, b = f"{name}.size(0)", f"{name}.size(1)"
        view = "reshape"
        cls.forward.add(
            f"scores = self.{head}({name}.{view}(-1, {name}.size(2)))",
            "head-call",
            [Wrong("view of wrong size", f"scores = self.{head}({name}.{view}(-1, {name}.size(2) + 1))", "head")],
        )
        wrong = [Wrong("wrong way back from flat", f"scores = scores.view({b}, {a}, -1)", "head-call")]
        cls.forward.add(f"scores = scores.view({a}, {b}, -1)", "head-call", wrong)
        value = "scores"
    else:
        value = f"self.{head}({name})"
    if task == "tags" and draft.chance(0.3):
        soft, axis = draft.pick("F.log_softmax", "torch.log_softmax"), draft.pick("2", "-1")
        wrong = [
            Wrong("softmax over the steps", f"return {soft}({value}, dim={out.time})", ""),
            Wrong("softmax over the batch", f"return {soft}({value}, dim={out.batch})", ""),
        ]
        cls.forward.add(f"return {soft}({value}, dim={axis})", "head-call", wrong)
        return Head(task, scores, logarithms=True)
    if task == "series" and draft.chance(0.4):
        cls.forward.add(
            f"return {value}.squeeze({draft.pick('-1', '2')})",
            "head-call",
            [Wrong("squeeze() of everything", f"return {value}.squeeze()", "", needs="free")],
        )
        return Head(task, scores, squeezed=True)
    cls.forward.add(f"return {value}", "head-call")
    return Head(task, scores)


def drive(draft: Draft, cls: Class, given: Input, head: Head, layout: Layout) -> None:
    """Training code, test code, or nothing, around a model that takes one tensor."""
    style = draft.pick("none", "call", "call", "loop", "loop", "loader", "loader", "function", "main")
    build = cls.construct(draft.outer)
    if style == "none" and cls.has_options:
        style = "call"
    if style == "none":
        draft.evidence.add("free")
        draft.driver.lines.append(Line("__all__ = []"))
        return
    draft.evidence.add("sizes")
    body, pad = _opened(draft, style, build, cls)
    named = draft.chance(0.5)
    sizes = [str(size) for size in given.sizes]
    if named:
        names = {
            "batch": draft.pick("batch_size", "B", "batch", "bs"),
            "time": draft.pick("seq_len", "T", "steps", "length"),
        }
        for role, size in given.axes:
            if role in names:
                pad.add(f"{names[role]} = {size}")
        sizes = [names.get(role, str(size)) for role, size in given.axes]
    batch, time = (
        sizes[_axis(given, "batch")],
        sizes[_axis(given, "time")] if given.axis("time") is not None else str(draft.time),
    )
    if style == "loader" and layout == "BT":
        _loader(draft, pad, given, head, sizes)
        return
    if named and given.axis("time") is not None:
        draft.evidence |= {"driver", "target"}
    pad.add(f"x = {_random(given, sizes)}", "input")
    if style == "call" or (style == "main" and draft.chance(0.4)):
        pad.add("scores = model(x)", "model-call")
        pad.add("print(scores.shape)")
        return
    target = draft.pick("y", "target", "labels")
    pad.add(f"{target} = {_target(head, layout, batch, time)}", "input")
    del body
    _step(draft, pad, head, layout, target, loop=draft.chance(0.6))


def _opened(draft: Draft, style: str, build: str, cls: Class) -> tuple[str, Block]:
    match style:
        case "function" | "main":
            name = draft.pick("main", "train", "run", "test_model")
            block = Block(draft, 1)
            block.lines.append(Line(f"def {name}():"))
            block.add(f"model = {build}")
            draft.functions = block.lines
            draft.driver.lines.append(
                Line(f'if __name__ == "__main__":\n    {name}()' if style == "main" else f"{name}()")
            )
            return name, block
        case _:
            draft.driver.add(f"model = {build}")
            return "", draft.driver


def _axis(given: Input, role: Literal["batch", "time"]) -> int:
    at = given.axis(role)
    assert at is not None
    return at


def _random(given: Input, sizes: list[str]) -> str:
    return (
        f"torch.randint(0, {given.bound}, ({', '.join(sizes)}))" if given.bound else f"torch.randn({', '.join(sizes)})"
    )


def _target(head: Head, layout: Layout, batch: str, time: str) -> str:
    order = (batch, time) if layout == "BT" else (time, batch)
    match head.task:
        case "classes":
            return f"torch.randint(0, {head.scores.value}, ({batch},))"
        case "regression":
            return f"torch.randn({batch})" if head.squeezed else f"torch.randn({batch}, 1)"
        case "tags":
            return f"torch.randint(0, {head.scores.value}, ({order[0]}, {order[1]}))"
        case "series":
            return (
                f"torch.randn({order[0]}, {order[1]})" if head.squeezed else f"torch.randn({order[0]}, {order[1]}, 1)"
            )


def _loader(draft: Draft, pad: Block, given: Input, head: Head, sizes: list[str]) -> None:
    draft.evidence |= {"loader", "target"}
    samples = str(2 * draft.batch)
    shown = [samples, *sizes[1:]]
    inputs, targets = draft.pick(("inputs", "targets"), ("X", "Y"), ("data", "labels"))
    time = sizes[1] if given.axis("time") == 1 else str(draft.time)
    pad.add(f"{inputs} = {_random(given, shown)}", "input")
    pad.add(f"{targets} = {_target(head, 'BT', samples, time)}", "input")
    batch = draft.pick(str(draft.batch), f"{draft.batch}, shuffle=True")
    if draft.chance(0.5):
        pad.add(f"loader = DataLoader(TensorDataset({inputs}, {targets}), batch_size={batch})")
    else:
        pad.add(f"dataset = TensorDataset({inputs}, {targets})")
        pad.add(f"loader = DataLoader(dataset, batch_size={batch})")
    x, y = draft.pick(("x", "y"), ("xb", "yb"), ("batch_x", "batch_y"), ("inp", "target"))
    _prepare(draft, pad, head)
    inner = pad.indent + 1
    pad.add(draft.pick(f"for {x}, {y} in loader:", f"for i, ({x}, {y}) in enumerate(loader):"))
    block = Block(draft, inner)
    _one_step(draft, block, head, "BT", x, y)
    pad.lines += block.lines


def _prepare(draft: Draft, pad: Block, head: Head) -> None:
    draft.evidence.add("loss")
    if head.task in ("classes", "tags"):
        criterion = "nn.NLLLoss()" if head.logarithms else "nn.CrossEntropyLoss()"
    else:
        criterion = draft.pick("nn.MSELoss()", "nn.L1Loss()", "nn.BCEWithLogitsLoss()", "nn.SmoothL1Loss()")
    if criterion == "nn.BCEWithLogitsLoss()":
        criterion = "nn.MSELoss()"
    pad.add(f"criterion = {criterion}", "criterion")
    pad.add(f"optimizer = torch.optim.{draft.pick('Adam', 'SGD')}(model.parameters(), lr=0.01)")


def _step(draft: Draft, pad: Block, head: Head, layout: Layout, target: str, *, loop: bool) -> None:
    _prepare(draft, pad, head)
    if loop:
        pad.add("for epoch in range(2):")
        block = Block(draft, pad.indent + 1)
        _one_step(draft, block, head, layout, "x", target)
        pad.lines += block.lines
    else:
        _one_step(draft, pad, head, layout, "x", target)


def _one_step(draft: Draft, block: Block, head: Head, layout: Layout, x: str, target: str) -> None:
    out = draft.pick("scores", "logits", "pred", "output")
    block.add("optimizer.zero_grad()")
    block.add(f"{out} = model({x})", "model-call")
    block.add(*_loss(draft, head, out, target))
    block.add("loss.backward()")
    block.add("optimizer.step()")


def _loss(draft: Draft, head: Head, out: str, target: str) -> tuple[str, str, list[Wrong]]:
    text = "loss = criterion(@, $)"

    def said(scores: str, targets: str) -> str:
        return text.replace("@", scores).replace("$", targets)

    match head.task:
        case "classes":
            wrong = [Wrong("scores not a row per target", said(f"{out}.view(-1)", target), "")]
            if not head.logarithms:
                wrong.append(Wrong("targets with a further axis", said(out, f"{target}.unsqueeze(1)"), ""))
            return said(out, target), "loss", wrong
        case "regression" | "series":
            wrong = []
            if head.squeezed:
                wrong.append(Wrong("loss broadcast", said(f"{out}.unsqueeze(-1)", target), ""))
            else:
                wrong.append(Wrong("loss broadcast", said(out, f"{target}.squeeze(-1)"), ""))
            return said(out, target), "loss", wrong
        case "tags":
            wrong = [Wrong("classes last in a cross entropy", said(out, target), "")]
            last = draft.pick(f"{out}.size(-1)", f"{out}.shape[2]", str(head.scores.value))
            flat = draft.pick("view", "reshape")
            if draft.chance(0.6):
                wrong.append(
                    Wrong("scores viewed, not turned", said(f"{out}.view({out}.size(0), {last}, -1)", target), "")
                )
                wrong.append(
                    Wrong(
                        "targets in the other order",
                        said(f"{out}.{flat}(-1, {last})", f"{target}.t().reshape(-1)"),
                        "",
                        needs="target",
                    )
                )
                return said(f"{out}.{flat}(-1, {last})", f"{target}.{flat}(-1)"), "loss", wrong
            turned = draft.pick(f"{out}.permute(0, 2, 1)", f"{out}.transpose(1, 2)")
            wrong.append(Wrong("scores viewed, not turned", said(f"{out}.view({out}.size(0), {last}, -1)", target), ""))
            return said(turned, target), "loss", wrong
