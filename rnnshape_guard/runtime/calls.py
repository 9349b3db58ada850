"""The long way of a guarded call: everything compared, traced if its structure is new, and remembered if it passed.

A `Site` belongs to one guarded function. Its wrapper (see `generated`) asks `fits` first: generated checks of the
structures that passed. Only what they do not know comes here.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from inspect import Parameter
from types import FunctionType
from typing import Any, Final

import jaxtyping
import torch
from torch import nn

from rnnshape_guard.findings import Because
from rnnshape_guard.runtime.annotations import (
    NOTHING,
    ArrayForm,
    EachForm,
    Form,
    MappingForm,
    Signature,
    arrays_in,
    read_signature,
)
from rnnshape_guard.runtime.contracts import LayerContract, contracts_of, running, watching
from rnnshape_guard.runtime.demands import Demands, demands_of, reached
from rnnshape_guard.runtime.errors import Binding, ShapeContractError
from rnnshape_guard.runtime.generated import Check, first_of, wrap, write_check
from rnnshape_guard.runtime.matching import RESULT, Mismatch, Names
from rnnshape_guard.runtime.structure import Models, structure_of
from rnnshape_guard.runtime.tracing import declare, run_traced
from rnnshape_guard.runtime.violations import (
    OnViolation,
    located,
    place_of,
    place_of_return,
    tell,
    user_place,
    violation,
)

_MOST_CHECKS: Final = 32
"""Structures with a generated check at hand; the one that was longest unused gives way."""
_MOST_STRUCTURES: Final = 512
"""Structures that are remembered as passed."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What is known of a structure that passed: sizes that its layers demand of the arguments, and names whose sizes
    layers have."""

    demands: Demands
    constants: Mapping[str, Binding]


class Site:
    """One guarded function: what it states, the structures that passed, and what becomes of violations."""

    def __init__(self, original: FunctionType, *, strict: bool = False, on_violation: OnViolation = "raise") -> None:
        if inspect.isasyncgenfunction(original):
            raise TypeError(f"`{original.__qualname__}` is an async generator, which can't be guarded")
        self.original = original
        self.strict = strict
        self.on_violation = on_violation
        self.signature = inspect.signature(original)
        self.parameters = tuple(self.signature.parameters)
        self.stated = _of_parameters(read_signature(original), self.signature)
        self.module_parameter: str | None = None
        self.wrapper: FunctionType = wrap(original, self.signature, self)
        self.wrapper.__dict__["__rnnshape_guard__"] = self
        self._models = Models()
        self._passed: OrderedDict[Hashable, Passed] = OrderedDict()
        self._checks: list[tuple[Hashable, Check]] = []
        self._contracts: dict[type, dict[str, LayerContract]] = {}
        self.fits: Callable[..., Any] = _nothing_fits

    # -- what the wrapper calls --------------------------------------------------------------------------------------

    def call(self, values: tuple[Any, ...]) -> Any:
        """A call that no check knows."""
        __tracebackhide__ = True
        args, kwargs = self._passed_on(values)
        if _steps_aside(values):
            return self.original(*args, **kwargs)
        return _Call(self, values, args, kwargs).run()

    async def call_async(self, values: tuple[Any, ...]) -> Any:
        """The same for a coroutine: arguments and result are compared; nothing is traced, for it may be suspended."""
        __tracebackhide__ = True
        args, kwargs = self._passed_on(values)
        call = _Call(self, values, args, kwargs)
        call.compare_arguments()
        result = await self.original(*args, **kwargs)
        call.compare_result(result)
        call.remember()
        return result

    def call_generator(self, values: tuple[Any, ...]) -> Iterator[Any]:
        """The same for a generator: arguments are compared."""
        __tracebackhide__ = True
        args, kwargs = self._passed_on(values)
        call = _Call(self, values, args, kwargs)
        call.compare_arguments()
        call.remember()
        return self.original(*args, **kwargs)  # type: ignore[no-any-return]

    def judge_result(self, values: tuple[Any, ...], result: Any) -> Any:
        """The result of a known structure does not fit: say why, or learn that it may be so."""
        __tracebackhide__ = True
        call = _Call(self, values, *self._passed_on(values))
        call.compare_arguments()
        call.compare_result(result)
        call.remember()
        return result

    # -- what a call needs to know -----------------------------------------------------------------------------------

    @property
    def states(self) -> Signature:
        """What the annotations state; nothing while jaxtyping is switched off."""
        return NOTHING if jaxtyping.config.jaxtyping_disable else self.stated

    def contracts(self, module: nn.Module) -> dict[str, LayerContract]:
        """The contracts of a module's class."""
        kind = type(module)
        if kind not in self._contracts:
            self._contracts[kind] = contracts_of(kind)
        return self._contracts[kind]

    def module_of(self, values: tuple[Any, ...]) -> nn.Module | None:
        """The model that a call goes through: the first argument that is one."""
        for name, value in zip(self.parameters, values, strict=True):
            if isinstance(value, nn.Module) and self.module_parameter in (None, name):
                if self.module_parameter is None:
                    self.module_parameter = name
                    self._write_fits()
                return value
        return None

    def key(self, values: tuple[Any, ...], module: nn.Module | None) -> Hashable:
        """The structure of a call."""
        return self._models.mark(module), tuple([structure_of(value) for value in values])

    def passed(self, key: Hashable) -> Passed | None:
        """What is known of a structure, if it passed."""
        return self._passed.get(key)

    def remember(self, key: Hashable, values: tuple[Any, ...], names: Names, demands: Demands) -> None:
        """A structure passed: later calls like it take the short way."""
        self._passed[key] = Passed(demands, dict(names.constants))
        self._passed.move_to_end(key)
        if len(self._passed) > _MOST_STRUCTURES:
            self._passed.popitem(last=False)
        if not names.straight or self.strict:
            return
        made_of = (key, tuple(names.steps), tuple(names.constants.items()))
        if any(one == made_of for one, _ in self._checks):
            return
        by_name = dict(zip(self.parameters, values, strict=True))
        mark = key[0]  # type: ignore[index]
        check = write_check(self.parameters, by_name, mark, self.module_parameter, names, demands)
        self._checks = [(made_of, check), *self._checks][:_MOST_CHECKS]
        self._write_fits()

    def _write_fits(self) -> None:
        if self._checks:
            checks = [check for _, check in self._checks]
            self.fits = first_of(checks, self.parameters, self.module_parameter, self._models)

    def _passed_on(self, values: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Values by parameter, as arguments again."""
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for one, value in zip(self.signature.parameters.values(), values, strict=True):
            match one.kind:
                case Parameter.VAR_POSITIONAL:
                    args.extend(value)
                case Parameter.VAR_KEYWORD:
                    kwargs.update(value)
                case Parameter.KEYWORD_ONLY:
                    kwargs[one.name] = value
                case _:
                    args.append(value)
        return tuple(args), kwargs


def _nothing_fits(*_: Any) -> None:
    return None


def _of_parameters(stated: Signature, signature: inspect.Signature) -> Signature:
    """``*xs: X`` is a tuple of X, ``**xs: X`` a dict of it."""
    forms: dict[str, Form] = {}
    for name, form in stated.parameters.items():
        parameter = signature.parameters.get(name)
        if parameter is None:
            continue
        match parameter.kind:
            case Parameter.VAR_POSITIONAL:
                forms[name] = EachForm(tuple, form)
            case Parameter.VAR_KEYWORD:
                forms[name] = MappingForm(dict, form)
            case _:
                forms[name] = form
    return Signature(forms, stated.result)


def _steps_aside(values: tuple[Any, ...]) -> bool:
    """Whether the arguments are no real ones: torch.fx writes a graph, or sizes are symbols of a compiler."""
    return any(
        isinstance(value, torch.fx.Proxy)
        or (isinstance(value, torch.Tensor) and any(isinstance(size, torch.SymInt) for size in value.shape))
        for value in values
    )


class _Call:
    """One call on the long way."""

    def __init__(self, site: Site, values: tuple[Any, ...], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self.site = site
        self.values = values
        self.args = args
        self.kwargs = kwargs
        self.by_name = dict(zip(site.parameters, values, strict=True))
        self.names = Names(scope=self.by_name)
        self.module = site.module_of(values)
        self.key = site.key(values, self.module)
        self.clean = True
        self.known = site.passed(self.key)
        self.demands: Demands = self.known.demands if self.known is not None else {}
        if self.known is not None:
            self.names.sizes.update(self.known.constants)
            self.names.constants.update(self.known.constants)

    def run(self) -> Any:
        """Compare, run (under tracing if the structure is new), compare, remember."""
        __tracebackhide__ = True
        self.compare_arguments()
        result = self._result()
        self.compare_result(result)
        self.remember()
        return result

    def compare_arguments(self) -> None:
        """The arguments against their annotations. A default fits, whatever its annotation says."""
        __tracebackhide__ = True
        site = self.site
        for name, form in site.states.parameters.items():
            value = self.by_name[name]
            if value is site.signature.parameters[name].default:
                continue
            mismatch = self.names.match(form, value, name, name, settle=False)
            if mismatch is not None:
                self._tell(violation(mismatch, self.names.bindings(), because=self._stated(name, form)))
        mismatch = self.names.settle()
        if mismatch is not None:
            name = re.split(r"[.\[]", mismatch.where, maxsplit=1)[0]
            because = self._stated(name, site.states.parameters[name])
            self._tell(violation(mismatch, self.names.bindings(), because=because))

    def compare_result(self, result: Any) -> None:
        """The result against its annotation; a generator's is no shape."""
        __tracebackhide__ = True
        form = self.site.states.result
        if form is None or inspect.isgeneratorfunction(self.site.original):
            return
        mismatch = self.names.match(form, result, "result", RESULT)
        if mismatch is not None:
            place = place_of_return(self.site.original)
            error = violation(mismatch, self.names.bindings(), place=place, because=self._stated("return", form))
            self._tell(error)

    def remember(self) -> None:
        """This structure passed, or what was wrong with it has been told."""
        if self.clean or self.site.on_violation != "raise":
            self.site.remember(self.key, self.values, self.names, self.demands)

    def _result(self) -> Any:
        __tracebackhide__ = True
        site, names = self.site, self.names
        with ExitStack() as stack:
            code = inspect.unwrap(site.original).__code__
            stack.enter_context(running(code, names, self._tell_inside))
            if self.known is not None and not site.strict and self._meets_demands():
                return site.original(*self.args, **self.kwargs)
            if self.module is not None:
                contracts = site.contracts(self.module)
                stack.enter_context(watching(self.module, contracts, names, self._tell_inside))
            traced = run_traced(self._declared, self.args, self.kwargs, module=self.module, bindings=names.bindings())
        self.demands = demands_of(traced.log, site.parameters)
        for error in traced.violations:
            self._tell(located(error), traced.error)
        if traced.error is not None:
            raise traced.error
        return traced.result

    def _meets_demands(self) -> bool:
        """Whether the arguments have the features that the layers of a known structure take."""
        return all(reached(self.by_name, reach, axis) == size for (reach, axis), size in self.demands.items())

    @property
    def _declared(self) -> Callable[..., Any]:
        """The original, once the axes of its arguments have been stated to the tracing."""
        original = self.site.original
        # Where there is a source, the tracing reads annotations of plain arrays there; not those inside a tuple.
        is_written = place_of(inspect.unwrap(original)) is not None
        plain = [
            self.by_name.get(name) for name, form in self.site.states.parameters.items() if isinstance(form, ArrayForm)
        ]
        known = {id(value) for value in plain} if is_written else set()
        compared = [(tensor, form) for tensor, form in self.names.compared if id(tensor) not in known]

        @functools.wraps(original)
        def stating(*args: Any, **kwargs: Any) -> Any:
            for tensor, form in compared:
                declare(tensor, form.text, text=f'"{form.text}"')
            return original(*args, **kwargs)

        return stating

    def _tell_inside(self, mismatch: Mismatch, layer: str = "") -> None:
        """A contract or a stated shape inside the model is broken: told where the model's code stands."""
        contract = self.site.contracts(self.module).get(layer.split(".")[0]) if self.module is not None else None
        because = (Because(f'`{layer}` is stated as "{contract.text}"'),) if contract is not None else ()
        self._tell(violation(mismatch, self.names.bindings(), layer=layer, place=user_place(), because=because))

    def _tell(self, error: ShapeContractError, cause: BaseException | None = None) -> None:
        __tracebackhide__ = True
        self.clean = False
        tell(error, self.site.on_violation, cause)

    def _stated(self, name: str, form: Form) -> tuple[Because, ...]:
        words = " or ".join(f'"{one.text}"' for one in arrays_in(form))
        what = "the result" if name == "return" else f"`{name}`"
        return (Because(f"{what} is annotated {words}", place_of(inspect.unwrap(self.site.original))),)
