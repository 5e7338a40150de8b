"""The ways to test gene sets: what each is called, needs, cites and runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dex.data.threads import map_threads
from dex.stats.camera import camera_preranked, camera_test
from dex.stats.contrast_effects import contrast_effects
from dex.stats.gsea import gsea_test
from dex.stats.overrepresentation import overrepresentation_log10_pval
from dex.stats.rotation_tests import fry_test, roast_test
from dex.stats.running_sum import RankedList
from dex.stats.univariate_model import ulm_test
from dex.tl._set_model import SetAnswer, SetMethod
from dex.tl._set_options import (
    CameraOptions,
    FryOptions,
    GseaOptions,
    OraOptions,
    PrerankedOptions,
    RoastOptions,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.stats.contrast_effects import ContrastEffects
    from dex.stats.rotation_tests import RotationTest
    from dex.tl._set_model import Direction, SetQuestion
    from dex.tl._set_samples import SampleModel
    from dex.typing import Bool, Float

_FEW_DF = 3
_SAME = 1e-12
"""What prints as the limit is within it."""


def _camera(question: SetQuestion) -> list[SetAnswer]:
    options: CameraOptions = question.options
    model = _samples(question)
    test = camera_test(
        _effects(model),
        question.sets,
        correlation=options.inter_gene_cor,
        allow_negative=options.allow_negative,
        use_ranks=options.use_ranks,
        trend=model.trend,
    )
    columns = {"correlation": test.correlation}
    notes = _camera_notes(options, model)
    return [SetAnswer(test.stat, test.log10_pval, columns=columns, notes=notes)]


def _fry(question: SetQuestion) -> list[SetAnswer]:
    options: FryOptions = question.options
    model = _samples(question)
    return _rotated(
        fry_test(
            _effects(model),
            question.sets,
            trend=model.trend,
            robust=options.robust,
            standardize=options.standardize,
        )
    )


def _roast(question: SetQuestion) -> list[SetAnswer]:
    options: RoastOptions = question.options
    model = _samples(question)
    return _rotated(
        roast_test(
            _effects(model),
            question.sets,
            trend=model.trend,
            n_rotations=options.n_rotations,
            set_statistic=options.set_statistic,
            robust=options.robust,
            seed=options.seed,
        )
    )


def _rotated(test: RotationTest) -> list[SetAnswer]:
    mixed = {"log10_pval_mixed": test.log10_pval_mixed}
    return [SetAnswer(test.stat, test.log10_pval, columns=mixed)]


def _effects(model: SampleModel) -> ContrastEffects:
    return contrast_effects(
        model.values, model.design, model.contrast, weights=model.weights, blocks=model.blocks
    )


def _camera_notes(options: CameraOptions, model: SampleModel) -> tuple[str, ...]:
    """What is to be said of correlations between genes: given, or of how few samples."""
    n_obs, n_coefs = model.design.shape
    if options.inter_gene_cor is not None:
        return (
            f"inter_gene_cor={options.inter_gene_cor} is the same for all sets: where genes of a "
            "set correlate by 0.05 to 0.2, 21% to 48% of sets in which nothing changes are called "
            "at 5%.",
        )
    if n_obs - n_coefs > _FEW_DF:
        return ()
    return (
        f"{n_obs} samples and {n_coefs} coefficients hardly tell how genes of a set correlate, so "
        "that few sets can be called; inter_gene_cor=0.01 takes limma's word for it.",
    )


def _camera_preranked(question: SetQuestion) -> list[SetAnswer]:
    options: PrerankedOptions = question.options
    test = camera_preranked(
        question.metric,
        question.sets,
        correlation=options.inter_gene_cor,
        use_ranks=options.use_ranks,
    )
    columns = {"correlation": test.correlation}
    return [SetAnswer(test.stat, test.log10_pval, columns=columns)]


def _ulm(question: SetQuestion) -> list[SetAnswer]:
    test = ulm_test(question.metric, question.sets)
    return [SetAnswer(test.stat, test.log10_pval)]


def _gsea(question: SetQuestion) -> list[SetAnswer]:
    options: GseaOptions = question.options

    def by_threads(function: Callable[[int], Float], sizes: list[int]) -> list[Float]:
        return map_threads(function, sizes, n_threads=question.n_threads, label="gsea")

    ranked = RankedList.from_stat(question.metric, exponent=options.exponent)
    some = question.sets.sizes < len(ranked.order)  # others have nothing to be compared with
    test = gsea_test(ranked, question.sets.take(some), seed=options.seed, apply=by_threads)

    def spread(values: Float) -> Float:
        out = np.full(len(some), np.nan)
        out[some] = values
        return out

    columns = {"nes": spread(test.nes), "log2err": spread(test.log2err)}
    edges = iter(test.leading)
    leading = [next(edges) if kept else np.empty(0, dtype=np.intp) for kept in some]
    return [SetAnswer(spread(test.es), spread(test.log10_pval), columns=columns, leading=leading)]


def _ora(question: SetQuestion) -> list[SetAnswer]:
    options: OraOptions = question.options
    metric = question.metric
    by_padj = options.pval is None
    limit = np.log10(options.padj if options.pval is None else options.pval) + _SAME
    chosen = (question.log10_padj if by_padj else question.log10_pval) <= limit
    if options.log2fc > 0:
        chosen &= np.abs(question.log2fc) >= options.log2fc
    if options.directions == "together" or np.isnan(metric).all():
        sides: dict[Direction, Bool] = {"any": chosen}
    else:
        sides = {"up": chosen & (metric > 0), "down": chosen & (metric < 0)}
    universe = question.annotated if options.universe == "annotated" else np.ones_like(chosen)
    n_universe = int(universe.sum())
    notes = (
        f"Universe: {len(chosen):,} genes with a p-value, {int(question.annotated.sum()):,} of "
        f"them in any set; taken are the {n_universe:,} "
        f"({options.universe}). Chosen: "
        + ", ".join(f"{int((side & universe).sum()):,} {name}" for name, side in sides.items())
        + ".",
    )
    answers = [
        _overlaps(question, side & universe, name, n_universe) for name, side in sides.items()
    ]
    return [replace(answers[0], notes=notes), *answers[1:]]


def _overlaps(
    question: SetQuestion, chosen: Bool, direction: Direction, universe: int
) -> SetAnswer:
    sets, n_chosen = question.sets, int(chosen.sum())
    overlap = np.rint(sets.sums(chosen.astype(np.float64))).astype(np.int64)
    log10_pval = overrepresentation_log10_pval(overlap, sets.sizes, n_chosen, universe)
    expected = sets.sizes * (n_chosen / universe)
    fold = np.divide(overlap, expected, out=np.full(len(overlap), np.nan), where=expected > 0)
    strength = -question.log10_pval if direction == "any" else np.abs(question.metric)
    leading = []
    for i in range(sets.n_sets):
        genes = sets[i][chosen[sets[i]]]
        leading.append(genes[np.argsort(-strength[genes], kind="stable")])
    return SetAnswer(fold, log10_pval, direction, {"n_overlap": overlap}, leading)


def _samples(question: SetQuestion) -> SampleModel:
    assert question.samples is not None  # as the door makes sure
    return question.samples


SET_METHODS: dict[str, SetMethod] = {
    method.name: method
    for method in (
        SetMethod(
            name="camera",
            title="camera with correlations between genes estimated from samples",
            citation="Wu & Smyth (2012), Nucleic Acids Research 40:e133",
            null="competitive, over samples",
            run=_camera,
            options=CameraOptions,
            samples=True,
        ),
        SetMethod(
            name="fry",
            title="fry, rotation tests",
            citation="Wu et al. (2010), Bioinformatics 26:2176-2182",
            null="self-contained, over samples",
            run=_fry,
            options=FryOptions,
            samples=True,
        ),
        SetMethod(
            name="roast",
            title="roast, rotation tests",
            citation="Wu et al. (2010), Bioinformatics 26:2176-2182",
            null="self-contained, over samples",
            run=_roast,
            options=RoastOptions,
            samples=True,
        ),
        SetMethod(
            name="camera_preranked",
            title="camera of ranked genes",
            citation="Wu & Smyth (2012), Nucleic Acids Research 40:e133",
            null="gene-label",
            run=_camera_preranked,
            options=PrerankedOptions,
        ),
        SetMethod(
            name="gsea",
            title="preranked gene set enrichment analysis",
            citation="Subramanian et al. (2005), PNAS 102:15545-15550; Korotkevich et al. (2021), "
            "bioRxiv 060012",
            null="gene-label",
            run=_gsea,
            options=GseaOptions,
        ),
        SetMethod(
            name="ora",
            title="over-representation (hypergeometric)",
            citation="Boyle et al. (2004), Bioinformatics 20:3710-3715",
            null="gene-label",
            run=_ora,
            options=OraOptions,
            omnibus=True,
        ),
        SetMethod(
            name="ulm",
            title="univariate linear models",
            citation="Badia-i-Mompel et al. (2022), Bioinformatics Advances 2:vbac016",
            null="gene-label",
            run=_ulm,
        ),
    )
}
