"""Statements: assignment, branches, loops, definitions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from rnnshape_guard.events import Discarded, Unpacked, Value
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.static import (
    asserted,
    configs,
    contracts,
    evidence,
    expressions,
    functions,
    imported,
    methods,
    operations,
    records,
    subscripts,
)
from rnnshape_guard.static.conditions import Decision, decide, decide_case, narrow
from rnnshape_guard.static.iteration import Steps, steps_of
from rnnshape_guard.static.joins import choose, join, join_all
from rnnshape_guard.static.operands import seen
from rnnshape_guard.static.run import MISSING, Change, Frame, NodePlace, Run
from rnnshape_guard.static.values import (
    Anything,
    Choice,
    ClassObject,
    DictValue,
    Instance,
    LayerObject,
    ListValue,
    Opaque,
    Results,
    ShapeOf,
)

GOES_ON, RETURNS, RAISES, BREAKS, CONTINUES = "goes on", "returns", "raises", "breaks", "continues"
_UNROLLED = 12
_REFUSALS = frozenset({"RuntimeError", "ShapeContractError"})

Alternative = tuple[tuple[str, ...], tuple[records.Statement, ...]]
"""Names that are bound, and the body that runs then."""


def execute(run: Run, frame: Frame, body: tuple[records.Statement, ...]) -> str:
    """Run statements in order; says how they end."""
    for place, statement in enumerate(body):
        run.step()
        if type(statement) is records.If:
            ending = _if(run, frame, statement, body[place + 1 :])
            if ending is not None:
                return ending
            continue
        ending = _EXECUTE[type(statement)](run, frame, statement)
        if ending != GOES_ON:
            return ending
    return GOES_ON


# -- assignment ----------------------------------------------------------------------------------------------------


def _assign(run: Run, frame: Frame, statement: records.Assign) -> str:
    evidence.read_above(run, frame, statement)
    target = statement.targets[0]
    before = run.naming
    run.naming = (statement.value, spell(target))
    value = expressions.evaluate(run, frame, statement.value)
    run.naming = before
    value = _with_names(value, statement.value, target)
    for one in statement.targets:
        bind(run, frame, one, value, statement.value)
    evidence.read_behind(run, frame, statement, value)
    return GOES_ON


def _with_names(value: Anything, written: records.Expression, target: records.Expression) -> Anything:
    """Numbers take the names that they are given: ``batch_size = 4``, ``batch_size, steps = 4, 7``."""
    match value, written, target:
        case Dim(), records.Constant(), _:
            return configs.named_number(value, spell(target).removeprefix("self."))
        case tuple(), records.Sequence(items=numbers), records.Sequence(items=names) if (
            len(value) == len(numbers) == len(names)
        ):
            return tuple(_with_names(*each) for each in zip(value, numbers, names, strict=True))
    return value


def spell(target: records.Expression) -> str:
    """A name or dotted name as written; empty for anything else."""
    match target:
        case records.Name():
            return target.id
        case records.Attribute():
            front = spell(target.value)
            return f"{front}.{target.name}" if front else ""
    return ""


def bind(run: Run, frame: Frame, target: records.Expression, value: Anything, record: records.Record) -> None:
    """Give a value to a target: a name, an attribute, an item, or several at once."""
    if type(value) is Opaque and not value.spelling:
        value.spelling = spell(target)
    match target:
        case records.Name(id=name):
            run.journal.put(frame.outer.get(name, frame).names, name, value)
            evidence.read_name(run, name, value, target)
        case records.Attribute():
            holder = expressions.evaluate(run, frame, target.value)
            set_attribute(run, holder, target.name, value)
            operations.hand_over(run, (value,), record, {})
            evidence.read_name(run, target.name, value, target)
        case records.Subscript():
            _set_item(run, frame, target, value)
        case records.Sequence():
            _unpack(run, frame, target, value, record)
        case records.Starred():
            bind(run, frame, target.value, value, record)


def set_attribute(run: Run, holder: Anything, name: str, value: Anything) -> None:
    """``holder.name = value``."""
    if isinstance(value, LayerObject):
        run.placed.add(id(value))
    match holder:
        case Instance():
            run.journal.put(holder.attributes, name, value)
            contracts.read_attribute(run, holder, name, value)
        case ClassObject():
            run.journal.put(holder.names, name, value)
        case Opaque():
            run.journal.put(holder.parts, name, value)


def _set_item(run: Run, frame: Frame, target: records.Subscript, value: Anything) -> None:
    holder = expressions.evaluate(run, frame, target.value)
    items = tuple(expressions.evaluate(run, frame, item) for item in target.items)
    key = items[0] if len(items) == 1 else items
    match holder:
        case DictValue():
            plain = expressions.plain_key(key)
            if plain is MISSING:
                run.journal.write(holder, "is_open", True)
            else:
                run.journal.write(holder, "items", {**holder.items, plain: value})
        case ListValue():
            number = key.value if isinstance(key, Dim) else None
            if number is not None and holder.is_known and -len(holder.items) <= number < len(holder.items):
                changed = list(holder.items)
                changed[number] = value
                run.journal.write(holder, "items", changed)
            else:
                everything = [*holder.items, value] + ([holder.tail] if holder.tail is not None else [])
                run.journal.write(holder, "tail", join_all(everything))
                run.journal.write(holder, "items", [])
        case Opaque():
            plain = expressions.plain_key(key)
            if plain is not MISSING:
                run.journal.put(holder.parts, ("item", plain), value)
        case Value():
            operations.write_items(run, holder, items, value, target)


def _unpack(run: Run, frame: Frame, target: records.Sequence, value: Anything, record: records.Record) -> None:
    targets = target.items
    starred = next((at for at, one in enumerate(targets) if isinstance(one, records.Starred)), None)
    parts = parts_of(run, value, len(targets), starred, target)
    if isinstance(value, Value | tuple | Results | Choice):
        run.emit(Unpacked, record, source=seen(value), count=len(targets), result=tuple(seen(part) for part in parts))
    evidence.read_sizes(run, targets, value, parts)
    for one, part in zip(targets, parts, strict=True):
        bind(run, frame, one, part, record)


def parts_of(run: Run, value: Anything, count: int, starred: int | None, record: records.Record) -> list[Anything]:
    """The values that unpacking into `count` targets gives; what is not known is unknown."""
    items: list[Anything] | None = None
    match value:
        case tuple():
            items = list(value)
        case Results():
            items = list(value.values)
        case ListValue() if value.is_known:
            items = value.items
        case ListValue():
            items = [*value.items, *[value.tail] * max(0, count - len(value.items))][:count]
        case ShapeOf():
            return subscripts.unpack_shape(run, value, count, starred)
        case Value():
            items = operations.unpack_tensor(run, value, count, record)
        case Opaque():
            return [value.part(("item", at), f"{value.spelling}[{at}]") for at in range(count)]
        case Choice():
            with run.doubting():
                options = [parts_of(run, option, count, starred, record) for option in value.options]
            return [choose(*parts) for parts in zip(*options, strict=True)]
    if items is None:
        return [Opaque() for _ in range(count)]
    if starred is not None and len(items) >= count - 1:
        after = count - 1 - starred
        middle = ListValue(items[starred : len(items) - after])
        return [*items[:starred], middle, *items[len(items) - after :]]
    return items if len(items) == count else [Opaque() for _ in range(count)]


def _annotated(run: Run, frame: Frame, statement: records.AnnotatedAssign) -> str:
    contracts.read(run, frame, statement.annotation)
    if (
        isinstance(frame.receiver, ClassObject)
        and frame.function is None
        and isinstance(statement.target, records.Name)
    ):
        run.journal.put(frame.receiver.annotations, statement.target.id, statement.annotation)
    if statement.value is None:
        return GOES_ON
    before = run.naming
    run.naming = (statement.value, spell(statement.target))
    value = expressions.evaluate(run, frame, statement.value)
    run.naming = before
    value = _with_names(value, statement.value, statement.target)
    bind(run, frame, statement.target, value, statement.value)
    contracts.read_assignment(run, frame, statement, spell(statement.target), value)
    return GOES_ON


def _augmented(run: Run, frame: Frame, statement: records.AugmentedAssign) -> str:
    left = expressions.evaluate(run, frame, statement.target)
    right = expressions.evaluate(run, frame, statement.value)
    if isinstance(left, ListValue) and statement.operator == "+":
        methods.extend(run, left, right)
        return GOES_ON
    value = expressions.operate(
        run, frame, statement.operator, left, right, statement, statement.target, statement.value
    )
    bind(run, frame, statement.target, value, statement)
    return GOES_ON


def _delete(run: Run, frame: Frame, statement: records.Delete) -> str:
    for target in statement.targets:
        if isinstance(target, records.Name):
            run.journal.put(frame.names, target.id, MISSING)
    return GOES_ON


# -- branches ------------------------------------------------------------------------------------------------------


def _if(run: Run, frame: Frame, statement: records.If, rest: tuple[records.Statement, ...]) -> str | None:
    """One branch if the test is decided. Else both, joined; a branch that leaves lets the other go on alone.

    Returns None when the statements after the `if` are still to run.
    """
    decision = decide(run, frame, statement.test)
    if decision.truth is not None:
        narrow(run, frame, statement.test, decision.truth)
        ending = execute(run, frame, statement.body if decision.truth else statement.orelse)
        return None if ending == GOES_ON else ending
    return _both(
        run,
        decision,
        lambda: _side(run, frame, statement.test, True, statement.body),
        lambda: _side(run, frame, statement.test, False, statement.orelse),
    )


def _side(run: Run, frame: Frame, test: records.Expression, truth: bool, body: tuple[records.Statement, ...]) -> str:
    narrow(run, frame, test, truth)
    return execute(run, frame, body)


def _both(run: Run, decision: Decision, body: Callable[[], str], orelse: Callable[[], str]) -> str | None:
    run.branches += 1
    number = run.branches
    mark = run.journal.mark()
    with run.branch(number, 1), run.knowing(decision.when_true):
        first = body()
    changed = run.journal.undo(mark)
    with run.branch(number, 0), run.knowing(decision.when_false):
        second = orelse()
    if first == GOES_ON and second == GOES_ON:
        _merge(run, changed, run.journal.undo(mark), decision)
        return None
    if first == GOES_ON:
        run.journal.take_back(mark)
        run.journal.redo(changed)
        return None
    if second == GOES_ON:
        return None
    return first if first == second or first == RETURNS else second


def _merge(
    run: Run,
    first: dict[tuple[int, Any], tuple[Change, Any]],
    second: dict[tuple[int, Any], tuple[Change, Any]],
    decision: Decision,
) -> None:
    """Make the changes of two sides, joined. Ranks and sizes learned on one side only are forgotten."""
    for key in {**first, **second}:
        change = (first.get(key) or second[key])[0]
        left = first[key][1] if key in first else change.now
        right = second[key][1] if key in second else change.now
        if isinstance(change.holder, dict):
            run.journal.put(change.holder, change.key, joined(left, right, decision))
        elif isinstance(change.holder, ListValue):
            _merge_list(run, change.holder, change.key, left, right)
        elif isinstance(change.holder, DictValue) and change.key == "items":
            merged = join(DictValue(left), DictValue(right), decision.flag)
            run.journal.write(change.holder, "items", {**left, **right, **merged.items})
            run.journal.write(change.holder, "is_open", merged.is_open or change.holder.is_open)


def joined(left: Anything, right: Anything, decision: Decision) -> Anything:
    """What holds after a branch: left where the test held, right where it didn't."""
    if decision.key and not decision.sense:
        return join(right, left, None if decision.flag is None else 1 - decision.flag, decision.key)
    return join(left, right, decision.flag, decision.key)


def _merge_list(run: Run, holder: ListValue, attribute: str, left: Anything, right: Anything) -> None:
    if attribute == "items" and len(left) != len(right):
        longer = left if len(left) > len(right) else right
        shorter = min(len(left), len(right))
        everything = [*longer[shorter:], *([holder.tail] if holder.tail is not None else [])]
        run.journal.write(holder, "items", [join(one, two) for one, two in zip(left, right, strict=False)])
        run.journal.write(holder, "tail", join_all(everything))
    elif attribute == "items":
        run.journal.write(holder, "items", [join(one, two) for one, two in zip(left, right, strict=True)])
    elif attribute == "tail":
        run.journal.write(holder, "tail", right if left is None else left if right is None else join(left, right))


def _match(run: Run, frame: Frame, statement: records.Match) -> str:
    subject = expressions.evaluate(run, frame, statement.subject)
    return _cases(run, frame, subject, statement.cases)


def _cases(run: Run, frame: Frame, subject: Anything, cases: tuple[records.Case, ...]) -> str:
    """The first case whose pattern accepts the subject runs; where that is not known, each that may."""
    if not cases:
        return GOES_ON
    case, *rest = cases

    def taken() -> str:
        for name in case.captures:
            run.journal.put(frame.names, name, Opaque(name))
        return execute(run, frame, case.body)

    decision = decide_case(run, frame, subject, case)
    if decision.truth is not None:
        return taken() if decision.truth else _cases(run, frame, subject, tuple(rest))
    return _both(run, decision, taken, lambda: _cases(run, frame, subject, tuple(rest))) or GOES_ON


def _alternatives(run: Run, frame: Frame, cases: list[Alternative]) -> str:
    """One of several bodies runs, or none."""
    if not cases:
        return GOES_ON
    (captures, body), rest = cases[0], cases[1:]

    def taken() -> str:
        for name in captures:
            run.journal.put(frame.names, name, Opaque(name))
        return execute(run, frame, body)

    return _both(run, Decision(None), taken, lambda: _alternatives(run, frame, rest)) or GOES_ON


def _try(run: Run, frame: Frame, statement: records.Try) -> str:
    """The body runs whole; a handler is an alternative only where the body could not be followed to its end. What fails
    where the program waits for PyTorch's or our own refusal fails on purpose."""
    with run.doubting() if _REFUSALS.intersection(statement.caught) else nullcontext():
        ending = execute(run, frame, statement.body)
    if ending == GOES_ON:
        ending = execute(run, frame, statement.orelse)
    if ending == RAISES and statement.handlers:
        cases: list[Alternative] = [((name,) if name else (), body) for name, body in statement.handlers]
        ending = _alternatives(run, frame, cases)
    elif statement.handlers:
        _bind_fallbacks(run, frame, statement)
    last = execute(run, frame, statement.final)
    return last if last != GOES_ON else ending


def _bind_fallbacks(run: Run, frame: Frame, statement: records.Try) -> None:
    """Names that only a handler binds exist afterwards too."""
    for _, body in statement.handlers:
        for inner in body:
            if isinstance(inner, records.Assign):
                for target in inner.targets:
                    if isinstance(target, records.Name) and frame.names.get(target.id, MISSING) is MISSING:
                        run.journal.put(frame.names, target.id, Opaque(target.id))


def _with(run: Run, frame: Frame, statement: records.With) -> str:
    for expression, target in statement.items:
        value = expressions.evaluate(run, frame, expression)
        if target is not None:
            entered = value if isinstance(value, Instance | ListValue | Value) else Opaque(spell(target))
            bind(run, frame, target, entered, expression)
    with run.doubting() if any(_expects_failure(one) for one, _ in statement.items) else nullcontext():
        return execute(run, frame, statement.body)


def _expects_failure(expression: records.Expression) -> bool:
    """``pytest.raises(…)``, ``self.assertRaises(…)``: what follows is meant to fail."""
    match expression:
        case records.Call(function=records.Attribute(name=name)):
            return name in ("raises", "assertRaises", "assertRaisesRegex")
        case records.Call(function=records.Name(id=name)):
            return name == "raises"
    return False


# -- loops ---------------------------------------------------------------------------------------------------------


def _for(run: Run, frame: Frame, statement: records.For) -> str:
    evidence.read_above(run, frame, statement)
    iterable = expressions.evaluate(run, frame, statement.iterable)
    evidence.read_loop(run, statement.target, iterable)
    steps = steps_of(run, iterable, statement.iterable, _UNROLLED)
    ending = loop(run, frame, steps, lambda item: _pass(run, frame, statement, item))
    if ending == RETURNS or ending == RAISES:
        return ending
    return execute(run, frame, statement.orelse) if ending == GOES_ON else GOES_ON


def _pass(run: Run, frame: Frame, statement: records.For, item: Anything) -> str:
    bind(run, frame, statement.target, item, statement.iterable)
    return execute(run, frame, statement.body)


def loop(run: Run, frame: Frame, steps: Steps, body: Callable[[Anything], str]) -> str:
    """Run a loop: each known item, then the item that stands for all others, twice, and the join of the two ends.

    Loops are taken to run at least once. A list that grows with every pass ends as a list of like items.
    """
    for item in steps.known:
        ending = body(item)
        if ending in (RETURNS, RAISES, BREAKS):
            return ending
    if steps.repeated is None:
        return GOES_ON
    before = run.journal.mark()
    if not steps.known:
        ending = body(steps.first if steps.first is not None else steps.repeated)
        if ending in (RETURNS, RAISES, BREAKS):
            return GOES_ON if ending == BREAKS else ending
    middle = run.journal.mark()
    ending = body(steps.repeated)
    changed = run.journal.undo(middle)
    if ending != RAISES:
        _settle(run, changed, before, steps.length)
    return GOES_ON


def _settle(run: Run, changed: dict[tuple[int, Any], tuple[Change, Any]], before: int, length: Dim | None) -> None:
    """The state after a loop: what the first pass left joined with what a further pass leaves."""
    earlier: dict[tuple[int, Any], Any] = {}
    for old in run.journal.changes[before:]:
        earlier.setdefault((id(old.holder), old.key), old.old)
    for key, (change, value) in changed.items():
        now = change.now
        if isinstance(change.holder, dict):
            run.journal.put(change.holder, change.key, join(now, value))
        elif isinstance(change.holder, ListValue) and change.key == "items":
            _settle_list(run, change.holder, now, value, earlier.get(key), length)
        elif isinstance(change.holder, ListValue) and change.key == "tail":
            run.journal.write(change.holder, "tail", value if now is None else join(now, value))
        elif isinstance(change.holder, DictValue):
            run.journal.write(change.holder, change.key, value)


def _settle_list(
    run: Run,
    holder: ListValue,
    now: list[Anything],
    later: list[Anything],
    start: list[Anything] | None,
    length: Dim | None,
) -> None:
    if len(later) <= len(now):
        run.journal.write(holder, "items", [join(one, two) for one, two in zip(now, later, strict=False)])
        return
    added = later[len(now) :]
    if length is not None and start is not None and len(now) - len(start) == len(added) == 1:
        run.journal.write(holder, "length", length + len(start))
    run.journal.write(holder, "tail", join_all([*added, *([holder.tail] if holder.tail is not None else [])]))


def _while(run: Run, frame: Frame, statement: records.While) -> str:
    decision = decide(run, frame, statement.test)
    if decision.truth is False:
        return execute(run, frame, statement.orelse)
    return loop(run, frame, Steps([], Opaque(), None), lambda _: execute(run, frame, statement.body))


# -- definitions and the rest ---------------------------------------------------------------------------------------


def _function(run: Run, frame: Frame, statement: records.FunctionDef) -> str:
    run.journal.put(
        frame.outer.get(statement.name, frame).names, statement.name, functions.define(run, frame, statement)
    )
    return GOES_ON


def _class(run: Run, frame: Frame, statement: records.ClassDef) -> str:
    run.journal.put(frame.names, statement.name, functions.define_class(run, frame, statement))
    return GOES_ON


def _evaluate(run: Run, frame: Frame, statement: records.Evaluate) -> str:
    evidence.read_above(run, frame, statement)
    before = run.next_event
    value = expressions.evaluate(run, frame, statement.value)
    if isinstance(value, Value) and value.made_by >= before:
        maker = run.log.events[value.made_by].place
        # Else it is a function's result that is thrown away.
        if isinstance(maker, NodePlace) and maker.key == run.place(statement.value).key:
            run.emit(Discarded, statement.value, made_by=value.made_by)
    evidence.read_behind(run, frame, statement, value)
    return RAISES if expressions.never_returns(statement.value) else GOES_ON


def _return(run: Run, frame: Frame, statement: records.Return) -> str:
    evidence.read_above(run, frame, statement)
    value = None if statement.value is None else expressions.evaluate(run, frame, statement.value)
    frame.returns.append(value)
    evidence.read_behind(run, frame, statement, value)
    return RETURNS


def _import(run: Run, frame: Frame, statement: records.Import) -> str:
    for name, value in imported.import_names(run, frame.module, statement):
        run.journal.put(frame.names, name, value)
    return GOES_ON


def _import_from(run: Run, frame: Frame, statement: records.ImportFrom) -> str:
    for name, value in imported.import_from(run, frame.module, statement):
        run.journal.put(frame.names, name, value)
    return GOES_ON


def _assert(run: Run, frame: Frame, statement: records.Assert) -> str:
    decision = decide(run, frame, statement.test)
    narrow(run, frame, statement.test, True)
    if decision.truth is None:
        asserted.read(run, frame, statement.test)
    return RAISES if decision.truth is False else GOES_ON


def _scope(run: Run, frame: Frame, statement: records.Scope) -> str:
    for name in statement.names:
        holder = frame.module if statement.is_global else frame.parent
        while not statement.is_global and holder is not None and name not in holder.names and holder.parent is not None:
            holder = holder.parent
        if holder is not None:
            frame.outer[name] = holder
    return GOES_ON


_EXECUTE: dict[type, Callable[[Run, Frame, Any], str]] = {
    records.Assign: _assign,
    records.AnnotatedAssign: _annotated,
    records.AugmentedAssign: _augmented,
    records.Evaluate: _evaluate,
    records.Return: _return,
    records.For: _for,
    records.While: _while,
    records.With: _with,
    records.Try: _try,
    records.Match: _match,
    records.FunctionDef: _function,
    records.ClassDef: _class,
    records.Import: _import,
    records.ImportFrom: _import_from,
    records.Raise: lambda run, frame, statement: RAISES,
    records.Assert: _assert,
    records.Delete: _delete,
    records.Scope: _scope,
    records.Jump: lambda run, frame, statement: BREAKS if statement.is_break else CONTINUES,
}
