"""Options that a method has no meaning for are refused, in words that say which have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.tl._options import Options
    from dex.tl.methods import Method


def require_applicable(method: Method, test: str, options: Options) -> None:
    """Refuse options that the method has no meaning for.

    Raises
    ------
    InputError
        If there is one.
    """
    if test == "any" and not method.omnibus_title:
        msg = f"test='any': the {method.title} compares two groups; use method='ols' or another."
        raise InputError(msg)
    omnibus = test == "any"
    title = method.omnibus_title if omnibus else method.title
    if options.lfc > 0 and (omnibus or not method.on_means):
        msg = (
            f"lfc={options.lfc} is a threshold on a difference of means, which the {title} does "
            "not test; use a t-test or method='ols', with test='each'."
        )
        raise InputError(msg)
    if options.alternative != "two-sided" and omnibus:
        msg = (
            f"alternative={options.alternative!r}: the {title} asks whether any group differs, "
            "which has no side; use test='each'."
        )
        raise InputError(msg)
    if options.alternative != "two-sided" and not method.one_sided:
        msg = f"alternative={options.alternative!r}: the {title} has two sides only."
        raise InputError(msg)
    if options.continuity and (omnibus or method.block != "strata"):
        msg = (
            f"continuity=True corrects the rank-sum test, not the {title}; use method='wilcoxon', "
            "with test='each'."
        )
        raise InputError(msg)
    _require_block(method, options, omnibus=omnibus)


def _require_block(method: Method, options: Options, *, omnibus: bool) -> None:
    if options.block is None:
        if options.weights != "optimal":
            msg = f"weights={options.weights!r} are of strata; name their column as block=."
            raise InputError(msg)
        return
    if omnibus and method.block != "repeats":
        msg = (
            f"block={options.block!r}: the {method.omnibus_title} is not stratified; use "
            f"test='each', or method='ols' with design='~ {options.block} + ...'."
        )
        raise InputError(msg)
    if not method.block:
        takes = (
            f"the model takes it as design='~ {options.block} + ...'"
            if method.model
            else "use method='wilcoxon'"
        )
        msg = (
            f"block={options.block!r} is strata for 'wilcoxon' and pairs for 't-test-paired'; "
            f"{method.name!r} has no use of it: {takes}."
        )
        raise InputError(msg)
    if options.weights != "optimal" and method.block != "strata":
        msg = f"weights={options.weights!r} are of the strata of method='wilcoxon'."
        raise InputError(msg)
