"""Options that belong to one method: who takes them, and what they may be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dex.design.wording import did_you_mean, listed
from dex.errors import InputError
from dex.tl.methods import METHODS, Method, ModelMethod

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dex.tl._options import Options


def with_method_options(options: Options, method: Method, given: Mapping[str, Any]) -> Options:
    """Add the options of ``method`` itself to those that every method has.

    Raises
    ------
    InputError
        If the method has no such option, or not such a value of it.
    """
    own = names_of(method)
    for name, value in given.items():
        if name not in own:
            raise _not_taken(method, name, value)
    if not isinstance(method, ModelMethod):
        return options
    fit, test = (
        kind(**{name: given[name] for name in method.option_names(kind) if name in given})
        for kind in (method.fit_options, method.test_options)
    )
    return replace(options, fit=fit, test=test)


def names_of(method: Method) -> tuple[str, ...]:
    """Names of the options that a method has for itself."""
    if not isinstance(method, ModelMethod):
        return ()
    return method.option_names(method.fit_options) + method.option_names(method.test_options)


def _not_taken(method: Method, name: str, value: object) -> InputError:
    takers = [repr(other.name) for other in METHODS.values() if name in names_of(other)]
    if takers:
        msg = f"{name}={value!r} goes with method={' or '.join(takers)}, not with {method.name!r}."
        return InputError(msg)
    own = names_of(method)
    takes = f"takes {listed(own)} of its own" if own else "has no options of its own"
    known = {option for other in METHODS.values() for option in names_of(other)}
    msg = f"{name}={value!r} is no option; method={method.name!r} {takes}."
    return InputError(msg + did_you_mean(name, known))
