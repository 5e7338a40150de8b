"""Options that belong to one method: who takes them, at which step, and what they may be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from dex.design.wording import did_you_mean, listed
from dex.errors import InputError
from dex.tl.methods import METHODS, Method, ModelMethod

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dex.tl._options import Options

Step = Literal["fit", "test"]
_DOORS = {"fit": "dex.tl.fit", "test": "dex.tl.contrast"}


def with_method_options(
    options: Options,
    method: Method,
    given: Mapping[str, Any],
    *,
    steps: tuple[Step, ...] = ("fit", "test"),
) -> Options:
    """Add the options of ``method`` itself to those that every method has.

    Raises
    ------
    InputError
        If the method has no such option at these steps, or not such a value of it.
    """
    own = {name for step in steps for name in _names(method, step)}
    for name, value in given.items():
        if name not in own:
            raise _not_taken(method, name, value)
    if not isinstance(method, ModelMethod):
        return options
    made: dict[str, Any] = {
        step: _kind(method, step)(
            **{name: given[name] for name in _names(method, step) if name in given}
        )
        for step in steps
    }
    return replace(options, **made)


def _kind(method: ModelMethod, step: Step) -> type[Any]:
    return method.fit_options if step == "fit" else method.test_options


def _names(method: Method, step: Step) -> tuple[str, ...]:
    if not isinstance(method, ModelMethod):
        return ()
    return method.option_names(_kind(method, step))


def _not_taken(method: Method, name: str, value: object) -> InputError:
    steps: tuple[Step, ...] = ("fit", "test")
    for step in steps:
        if name in _names(method, step):
            msg = f"{name}={value!r} belongs to the {step}: give it to {_DOORS[step]}."
            return InputError(msg)
    every = {
        other.name: [option for step in steps for option in _names(other, step)]
        for other in METHODS.values()
    }
    takers = [repr(other) for other, options in every.items() if name in options]
    if takers:
        msg = f"{name}={value!r} goes with method={' or '.join(takers)}, not with {method.name!r}."
        return InputError(msg)
    own = every[method.name]
    takes = f"takes {listed(own)} of its own" if own else "has no options of its own"
    msg = f"{name}={value!r} is no option; method={method.name!r} {takes}."
    return InputError(
        msg + did_you_mean(name, {option for each in every.values() for option in each})
    )
