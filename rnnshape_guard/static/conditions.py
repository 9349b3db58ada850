"""Conditions: what is known of a test, and what a branch teaches about the names in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnnshape_guard.events import Value
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim, Symbol, compare, resolve, surely_positive
from rnnshape_guard.shapes.outcomes import Packed
from rnnshape_guard.static import expressions, records
from rnnshape_guard.static.run import MISSING, Frame, Run
from rnnshape_guard.static.values import (
    Anything,
    Choice,
    ClassObject,
    DictValue,
    DynamicLayer,
    External,
    FunctionObject,
    Instance,
    LayerObject,
    ListValue,
    Opaque,
    ShapeOf,
)

Known = tuple[tuple[str, bool], ...]
"""Conditions by their keys, with the side on which something holds."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a test holds (None: not known). `flag` is the 0/1 size that the test is, where it is one.

    `when_true` and `when_false` are the conditions that are then known, by key: they decide the same test elsewhere.
    """

    truth: bool | None
    flag: Dim | None = None
    when_true: Known = ()
    when_false: Known = ()

    @property
    def key(self) -> str:
        """The key of the one condition that the test is, or denies; empty where it is more, or has none."""
        if len(self.when_true) == 1 and len(self.when_false) == 1 and self.when_true[0][0] == self.when_false[0][0]:
            return self.when_true[0][0]
        return ""

    @property
    def sense(self) -> bool:
        """Whether the test holds where its condition does (else where it doesn't)."""
        return not self.when_true or self.when_true[0][1]

    def negated(self) -> Decision:
        """The opposite test."""
        truth = None if self.truth is None else not self.truth
        return Decision(truth, None if self.flag is None else 1 - self.flag, self.when_false, self.when_true)


UNDECIDED = Decision(None)


def keyed(run: Run, key: str, label: str, *, symbol: Symbol | None = None, flag: Dim | None = None) -> Decision:
    """The condition with this key: decided where the run assumes it or a branch around has it."""
    truth = run.test(key, label, symbol)
    return Decision(truth, flag, ((key, True),), ((key, False),)) if key else UNDECIDED


def decide(run: Run, frame: Frame, test: records.Expression) -> Decision:
    """Judge a test, evaluating what it holds."""
    match test:
        case records.UnaryOperation(operator="not"):
            return decide(run, frame, test.operand).negated()
        case records.BooleanOperation():
            return _both(run, frame, test)
        case records.Comparison(rights=((operator, right),)):
            left_value = expressions.evaluate(run, frame, test.left)
            return compare_values(run, operator, left_value, expressions.evaluate(run, frame, right))
        case records.Call(function=records.Name(id="isinstance"), arguments=(subject, kind)):
            value = expressions.evaluate(run, frame, subject.value)
            return of_instance(run, value, expressions.evaluate(run, frame, kind.value))
        case records.Name(id="__debug__"):
            return Decision(True)
    return truth_of(run, expressions.evaluate(run, frame, test))


def decide_case(run: Run, frame: Frame, subject: Anything, case: records.Case) -> Decision:
    """Judge whether a case of a match is taken: the values its pattern names are compared as by ``==``."""
    if case.is_wildcard:
        return UNDECIDED if case.guard is not None else Decision(True)
    if case.values is None:
        return UNDECIDED
    found = [compare_values(run, "==", subject, expressions.evaluate(run, frame, value)) for value in case.values]
    if case.guard is None and any(one.truth for one in found):
        return Decision(True)
    possible = [one for one in found if one.truth is not False]
    if not possible:
        return Decision(False)
    return possible[0] if len(possible) == 1 and case.guard is None else UNDECIDED


def _both(run: Run, frame: Frame, test: records.BooleanOperation) -> Decision:
    left = decide(run, frame, test.left)
    ends_at = test.operator == "or"
    if left.truth is ends_at:
        return left
    mark = run.journal.mark()
    narrow(run, frame, test.left, not ends_at)
    right = decide(run, frame, test.right)
    if left.truth is None:
        run.journal.take_back(mark)
    if left.truth is not None:
        return right
    if right.truth is ends_at:
        return right
    flag = None
    if left.flag is not None and right.flag is not None:
        product = left.flag * right.flag
        flag = left.flag + right.flag - product if ends_at else product
    if right.truth is not None:
        return left
    if ends_at:
        return Decision(None, flag, (), left.when_false + right.when_false)
    return Decision(None, flag, left.when_true + right.when_true, ())


def truth_of(run: Run, value: Anything) -> Decision:
    """Whether a value counts as true."""
    match value:
        case bool() | str() | float() | bytes() | None:
            return Decision(bool(value))
        case Dim():
            return _truth_of_size(run, value)
        case tuple():
            return Decision(bool(value))
        case ListValue():
            if value.items:
                return Decision(True)
            return Decision(False) if value.is_known else UNDECIDED
        case DictValue() if not value.is_open:
            return Decision(bool(value.items))
        case Instance() | LayerObject() | FunctionObject() | ClassObject() | External():
            return Decision(True)
        case Opaque() if value.number is not None:
            return _truth_of_size(run, value.number)
        case Opaque():
            return _assumed(run, value, "truth", value.spelling)
        case Choice():
            return _of_choice(run, value, [truth_of(run, option).truth for option in value.options])
    return UNDECIDED


def _of_choice(run: Run, value: Choice, truths: list[bool | None]) -> Decision:
    """A test of one of two values that were chosen by a condition is that condition."""
    if len(set(truths)) == 1:
        return Decision(truths[0])
    if value.key and truths in ([True, False], [False, True]):
        decision = keyed(run, value.key, run.tests[value.key].label if value.key in run.tests else value.key)
        return decision if truths[0] else decision.negated()
    return UNDECIDED


def _truth_of_size(run: Run, size: Dim) -> Decision:
    number = size.value
    if number is not None:
        return Decision(number != 0)
    if surely_positive(size):
        return Decision(True)
    symbol = size.symbol
    if symbol is not None and symbol.flag:
        return keyed(run, flag_key(symbol), symbol.name, symbol=symbol, flag=size)
    if symbol is not None and symbol.name != "?":
        return keyed(run, f"truth:{symbol.key or symbol.name}", symbol.name)
    return UNDECIDED


def flag_key(symbol: Symbol) -> str:
    """The key of a flag, the same in every run."""
    return f"flag:{symbol.key or symbol.name}"


def _assumed(run: Run, value: Opaque, kind: str, label: str) -> Decision:
    if kind == "truth" and isinstance(value.hint, bool):
        return _truth_of_size(run, value.as_number())
    if not value.origin:
        return UNDECIDED
    return keyed(run, f"{kind}:{value.origin}", label)


def compare_values(run: Run, operator: str, left: Anything, right: Anything) -> Decision:
    """A comparison of two values."""
    left, right = _plain(left), _plain(right)
    if operator in ("is", "is not", "==", "!="):
        decision = _same(run, left, right, operator in ("is", "is not"))
        if operator in ("is not", "!="):
            return decision.negated()
        return decision
    if operator in ("in", "not in"):
        found = _contains(run, left, right)
        return Decision(found if found is None or operator == "in" else not found)
    if isinstance(left, Dim) and isinstance(right, Dim):
        return _ordered(run, operator, left, right)
    return _named(run, operator, left, right)


def _named(run: Run, operator: str, left: Anything, right: Anything) -> Decision:
    """A comparison of which only the sides' names are known: asked again, it has the same answer."""
    one, two = stable_name(left), stable_name(right)
    if not one or not two:
        return UNDECIDED
    words = [value.spelling if isinstance(value, Opaque) else repr(value) for value in (left, right)]
    return keyed(run, f"{operator}:{one}:{two}", f" {operator} ".join(words))


def _plain(value: Anything) -> Anything:
    if isinstance(value, bool):
        return value
    return value.number if isinstance(value, Opaque) and value.number is not None else value


def _same(run: Run, left: Anything, right: Anything, is_identity: bool) -> Decision:
    if isinstance(right, Opaque) and not isinstance(left, Opaque):
        left, right = right, left
    match left, right:
        case (Opaque(), None):
            if left.tensor is not None:
                return Decision(False)
            return _assumed(run, left, "none", f"{left.spelling} is None")
        case (Opaque(), str()):
            return _same_word(run, left, right)
        case (Opaque(), Dim()):
            return _sizes_equal(run, left.as_number(), right)
        case (Opaque(), bool()):
            flag = _truth_of_size(run, left.as_number()) if isinstance(left.hint, bool) else UNDECIDED
            return flag if right else flag.negated()
        case (Choice(), None):
            return _of_choice(run, left, [_same(run, option, None, True).truth for option in left.options])
        case (None, _) | (_, None):
            return Decision(left is right) if not isinstance(right, Opaque | Choice) else UNDECIDED
        case (Dim(), Dim()):
            return _sizes_equal(run, left, right)
        case (bool(), Dim()) | (Dim(), bool()):
            number, truth = (left, right) if isinstance(left, Dim) else (right, left)
            assert isinstance(number, Dim)
            return _sizes_equal(run, number, Dim.of(int(truth)))
        case (bool() | str() | float(), bool() | str() | float()):
            return Decision(left == right)
        case (External(), External()):
            return Decision(left.path == right.path)
        case (ClassObject(), ClassObject()):
            return Decision(left is right)
        case (tuple(), tuple()) if not is_identity and len(left) == len(right):
            truths = [_same(run, one, two, False).truth for one, two in zip(left, right, strict=True)]
            return Decision(False if False in truths else None if None in truths else True)
    return UNDECIDED


def _same_word(run: Run, left: Opaque, word: str) -> Decision:
    """A string parameter against a word: under an assumption that it is one word, it is no other."""
    if not left.origin:
        return UNDECIDED
    prefix = f"==:{left.origin}:"
    for key, truth in (*run.known.items(), *run.assumed.items()):
        if truth and key.startswith(prefix):
            return Decision(key == prefix + word)
    return keyed(run, prefix + word, f'{left.spelling} == "{word}"')


def _sizes_equal(run: Run, left: Dim, right: Dim) -> Decision:
    comparison = compare(left, right)
    if comparison.equal:
        return Decision(True)
    if comparison.different:
        return Decision(False)
    return _by_flag(run, resolve(left - right)) or _noted(run, "==", left, right)


def _noted(run: Run, operator: str, left: Dim, right: Dim) -> Decision:
    one, two = stable_name(left), stable_name(right)
    if not one or not two:
        return UNDECIDED
    return keyed(run, f"{operator}:{one}:{two}", f"{left} {operator} {right}")


def stable_name(value: Anything) -> str:
    """What a value is called in the keys of conditions, the same in every run; empty where it has no such name."""
    match value:
        case Dim():
            known = resolve(value)
            if any(symbol.name == "?" for symbol in known.symbols()):
                return ""
            return str(known) + "".join(f"@{symbol.key}" for symbol in known.symbols())
        case Opaque():
            return value.origin
        case str() | bool() | float() | None:
            return repr(value)
    return ""


def _by_flag(run: Run, difference: Dim) -> Decision | None:
    """`1 + b == 2` is the flag b itself."""
    flags = list(difference.symbols())
    if len(flags) != 1 or not flags[0].flag:
        return None
    when = [resolve(difference, given={flags[0]: value}).literal == 0 for value in (0, 1)]
    if when[0] == when[1]:
        return None
    decision = keyed(run, flag_key(flags[0]), flags[0].name, symbol=flags[0], flag=Dim.of(flags[0]))
    return decision if when[1] else decision.negated()


def _ordered(run: Run, operator: str, left: Dim, right: Dim) -> Decision:
    one, two = left.value, right.value
    if one is not None and two is not None:
        return Decision({"<": one < two, "<=": one <= two, ">": one > two, ">=": one >= two}[operator])
    flags = [symbol for symbol in resolve(left - right).symbols() if symbol.flag]
    if len(flags) == 1 and len(list(resolve(left - right).symbols())) == 1:
        results = []
        for value in (0, 1):
            difference = resolve(left - right, given={flags[0]: value}).literal or 0
            results.append(
                {"<": difference < 0, "<=": difference <= 0, ">": difference > 0, ">=": difference >= 0}[operator]
            )
        if results[0] == results[1]:
            return Decision(results[0])
        decision = keyed(run, flag_key(flags[0]), flags[0].name, symbol=flags[0], flag=Dim.of(flags[0]))
        return decision if results[1] else decision.negated()
    if operator == ">" and two == 0 and surely_positive(left):
        return Decision(True)
    return _noted(run, operator, left, right)


def _contains(run: Run, item: Anything, holder: Anything) -> bool | None:
    if isinstance(holder, ListValue) and holder.is_known:
        holder = tuple(holder.items)
    if isinstance(holder, str) and isinstance(item, str):
        return item in holder
    if isinstance(holder, tuple):
        truths = [_same(run, item, one, False).truth for one in holder]
        return True if True in truths else None if None in truths else False
    if isinstance(holder, DictValue) and not holder.is_open:
        key = expressions.plain_key(item)
        return None if key is MISSING else key in holder.items
    return None


_TENSORS = ("torch.Tensor", "torch.FloatTensor", "torch.autograd.Variable", "torch.LongTensor")


def of_instance(run: Run, value: Anything, kind: Anything) -> Decision:
    """Whether a value is of a class; of a layer whose kind the program chooses, the choice decides it."""
    if isinstance(value, Choice):
        return _of_choice(run, value, [is_instance(option, kind, run) for option in value.options])
    if isinstance(value, DynamicLayer) and isinstance(kind, External):
        word = kind.path.rpartition(".")[2]
        if word not in [getattr(option.layer.spec, "kind", "") for option in value.options]:
            return Decision(is_instance(value.options[0], kind, run))
        return keyed(run, value.word + word, f"{value.options[0].layer.name} is {word}")
    return Decision(is_instance(value, kind, run))


def is_instance(value: Anything, kind: Anything, run: Run) -> bool | None:
    """Whether a value is of a class or of one of a tuple of classes; None where it is not known."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    answers = [_is_a(value, one, run) for one in kinds]
    return True if True in answers else None if None in answers else False


def _is_a(value: Anything, kind: Anything, run: Run) -> bool | None:
    path = kind.path if isinstance(kind, External) else ""
    if isinstance(value, Opaque | Choice) or not path and not isinstance(kind, ClassObject):
        return None
    if isinstance(kind, ClassObject):
        return kind in value.cls.line() if isinstance(value, Instance) else None if isinstance(value, Opaque) else False
    name = path.rpartition(".")[2]
    match value:
        case Value(shape=Packed()):
            return name == "PackedSequence" or (name == "tuple")
        case Value():
            if value.id in run.doubtful:
                return None
            return path in _TENSORS
        case tuple():
            if path.startswith("builtins"):
                return name in ("tuple", "Sequence", "Iterable")
            return False if path in _TENSORS else None
        case ListValue():
            return name in ("list", "Sequence", "Iterable")
        case DictValue():
            return name in ("dict", "Mapping", "MutableMapping")
        case bool():
            return name in ("bool", "int")
        case Dim():
            return name in ("int", "Number", "Integral")
        case str():
            return name == "str"
        case float():
            return name in ("float", "Number")
        case None:
            return name == "NoneType"
        case LayerObject():
            kind_name = getattr(value.layer.spec, "kind", "")
            if name in ("Module", kind_name):
                return True
            if name == "RNNBase":
                return kind_name in ("RNN", "LSTM", "GRU")
            return False if path.startswith("torch.nn.") else None
        case Instance() | ShapeOf():
            return None
    return None


def narrow(run: Run, frame: Frame, test: records.Expression, truth: bool) -> None:
    """Learn from a test that is taken to hold or not: `x is None` makes x None, or not."""
    match test:
        case records.UnaryOperation(operator="not"):
            narrow(run, frame, test.operand, not truth)
        case records.BooleanOperation(operator=operator) if (operator == "and") == truth:
            narrow(run, frame, test.left, truth)
            narrow(run, frame, test.right, truth)
        case records.Comparison(left=left, rights=((("is" | "==" | "is not" | "!=") as operator, right),)):
            if isinstance(right, records.Constant) and right.value is None:
                _narrow_none(run, frame, left, (operator in ("is", "==")) == truth)
            elif isinstance(right, records.Constant) and isinstance(right.value, bool):
                if isinstance(left, records.Name | records.Attribute):
                    _narrow_flag(run, frame, left, ((operator in ("is", "==")) == truth) == right.value)
            elif isinstance(right, records.Constant) and isinstance(right.value, int):
                _narrow_rank(run, frame, left, right.value, (operator == "==") == truth and operator == "==")
        case records.Call(function=records.Name(id="isinstance"), arguments=(subject, kind)):
            _narrow_kind(run, frame, subject.value, kind.value, truth)
        case records.Name():
            _narrow_none(run, frame, test, False) if truth else None
            _narrow_flag(run, frame, test, truth)
        case records.Attribute(value=records.Name()):
            _narrow_flag(run, frame, test, truth)


def _narrow_kind(run: Run, frame: Frame, subject: records.Expression, kind: records.Expression, truth: bool) -> None:
    """`isinstance(state, tuple)`: of several values, those that the answer leaves."""
    value = frame.names.get(subject.id) if isinstance(subject, records.Name) else None
    if not isinstance(value, Choice) or not isinstance(subject, records.Name):
        return
    asked = expressions.evaluate(run, frame, kind)
    options = tuple(option for option in value.options if is_instance(option, asked, run) in (None, truth))
    if options and len(options) < len(value.options):
        run.journal.put(frame.names, subject.id, options[0] if len(options) == 1 else Choice(options))


def _narrow_flag(run: Run, frame: Frame, test: records.Expression, truth: bool) -> None:
    """Where a flag is tested, it has the value that leads there."""
    value = frame.find(test.id) if isinstance(test, records.Name) else expressions.evaluate(run, frame, test)
    size = _plain(value)
    symbol = size.symbol if isinstance(size, Dim) else None
    if symbol is not None and symbol.flag and symbol.value is None:
        run.journal.write(symbol, "value", Dim.of(int(truth)))


def _narrow_none(run: Run, frame: Frame, subject: records.Expression, is_none: bool) -> None:
    if not isinstance(subject, records.Name) or subject.id not in frame.names:
        return
    value = frame.names[subject.id]
    if is_none and isinstance(value, Opaque | Choice):
        run.journal.put(frame.names, subject.id, None)
    elif not is_none and isinstance(value, Choice):
        options = tuple(option for option in value.options if option is not None)
        narrowed: Any = options[0] if len(options) == 1 else Choice(options)
        run.journal.put(frame.names, subject.id, narrowed)


def _narrow_rank(run: Run, frame: Frame, subject: records.Expression, rank: int, holds: bool) -> None:
    """`x.dim() == 3` fixes the rank of x inside the branch."""
    match subject:
        case records.Call(function=records.Attribute(value=records.Name() as name, name="dim" | "ndimension")):
            pass
        case records.Attribute(value=records.Name() as name, name="ndim"):
            pass
        case records.Call(
            function=records.Name(id="len"),
            arguments=(
                records.Argument(
                    value=records.Attribute(value=records.Name() as name, name="shape")
                    | records.Call(function=records.Attribute(value=records.Name() as name, name="size"), arguments=())
                ),
            ),
        ):
            pass
        case _:
            return
    value = frame.find(name.id)
    if isinstance(value, Opaque):
        value = value.as_tensor()
        run.doubtful.add(value.id)
    if not holds or not isinstance(value, Value) or not isinstance(value.shape, Shape):
        return
    rest = value.shape.rest
    known = sum(isinstance(part, Axis) for part in value.shape.parts)
    if rest is not None and known <= rank:
        run.close(rest, tuple(Axis.new("?") for _ in range(rank - known)))
