"""Every rule speaks where its number says so, and is silent otherwise."""

from dataclasses import replace

import numpy as np
import pytest

import dex
from dex.get import PvalueShape
from dex.report._advice import Means
from dex.report._diagnosis import Evidence, _batch_finding, diagnose
from dex.report._ranking import Counted, Ranking
from dex.report._suspects import Batch

FINE = PvalueShape(10_000, 0.8, 1.5, "peak at 0", "Peak at 0.")
COUNTS = Counted(
    position=0,
    name="b vs a",
    kind="group",
    group="b",
    reference="a",
    n_group=6,
    n_reference=6,
    df=10.0,
    n_tested=10_000,
    n_significant=500,
    n_up=250,
    n_down=250,
    top_up=(),
    top_down=(),
    top=(),
    statuses={"tested": 10_000, "filtered": 2_000},
    has_effects=True,
)
EVIDENCE = Evidence(
    counts=COUNTS,
    unit="samples",
    padj=0.05,
    n_genes=12_000,
    df=10.0,
    smallest_pval=-12.0,
    median_log2fc=0.01,
    median_significant=1.2,
    shape=FINE,
    clusters=False,
    lfc=0.0,
    means=Means(),
)


def sentences(evidence, level):
    return [finding.sentence for finding in diagnose(evidence) if finding.level == level]


def counted(**changes):
    return replace(EVIDENCE, counts=replace(COUNTS, **changes))


def test_nothing_is_wrong_where_nothing_is():
    assert sentences(EVIDENCE, "warning") == []
    verdict, *_ = diagnose(EVIDENCE)
    assert verdict.sentence.startswith("500 of 10,000 genes tested (5.0%)")


@pytest.mark.parametrize(
    ("evidence", "level", "said"),
    [
        (counted(statuses={"no_replicates": 10}, n_tested=0), "warning", "No replicates: 6 vs 6"),
        (replace(EVIDENCE, df=0.0), "warning", "no residual degrees of freedom"),
        (counted(n_reference=2), "warning", "Few replicates: 6 vs 2 samples"),
        (replace(EVIDENCE, df=2.0), "warning", "Only 2 residual degrees of freedom"),
        (replace(EVIDENCE, unit="cells"), "warning", "Pseudoreplication: cells count"),
        (replace(EVIDENCE, unit="cells", clusters=True), "info", "Peak at 0."),
        (
            counted(statuses={"tested": 10, "all_zero": 9_000}),
            "info",
            "9,000 of 12,000 genes (75%)",
        ),
        (replace(EVIDENCE, median_log2fc=-0.5), "warning", "log2fc of -0.50"),
        (counted(n_significant=6_000), "info", "Many genes: 6,000"),
        (counted(n_significant=6_000), "info", "less than 1.20 in log2"),
        (counted(n_significant=3), "info", "Few genes: 3 of 10,000"),
        (counted(n_tested=0, n_significant=0), "warning", "No gene has a p-value"),
    ],
)
def test_a_rule_speaks(evidence, level, said):
    assert any(said in sentence for sentence in sentences(evidence, level))


def test_out_of_reach_names_what_would_be_needed():
    evidence = replace(counted(n_significant=0), smallest_pval=-3.0)
    (said,) = [one for one in sentences(evidence, "info") if "smallest" in one]
    assert "smallest p-value is 0.001" in said
    assert "5e-06" in said


def test_no_filter_is_advised_after_a_filter():
    evidence = replace(counted(n_significant=0), smallest_pval=-3.0)
    assert any("filter_genes" in one for one in sentences(evidence, "info"))
    filtered = replace(evidence, means=Means(filtered=True))
    assert not any("filter_genes" in one for one in sentences(filtered, "info"))


@pytest.mark.parametrize(
    ("sides", "floor"), [((4, 4), "0.029 (2 / choose(8, 4))"), ((3, 3), "0.1 "), ((6, 6), None)]
)
def test_exact_ranks_of_few_samples_find_nothing(sides, floor):
    n_group, n_reference = sides
    evidence = counted(n_significant=0, n_group=n_group, n_reference=n_reference)
    evidence = replace(
        evidence, means=Means(method="wilcoxon", takes_lfc=False), smallest_pval=-1.5
    )
    said = [one for one in sentences(evidence, "warning") if "Out of reach" in one]
    assert len(said) == (floor is not None)
    if floor is not None:
        assert f"cannot give a p-value below {floor}" in said[0]
        assert "no filter helps" in said[0]
        assert not any("filter_genes" in one for one in sentences(evidence, "info"))


def test_a_threshold_is_advised_where_the_method_takes_one():
    many = counted(n_significant=6_000)
    assert any("lfc=1 in dex.tl.rank_genes;" in one for one in sentences(many, "info"))
    ranks = replace(many, means=Means(method="wilcoxon", takes_lfc=False))
    assert any("lfc=1" in one and "method='ols'" in one for one in sentences(ranks, "info"))
    assert not any("lfc=1" in one for one in sentences(replace(many, lfc=0.5), "info"))


def test_a_batch_is_one_finding_with_advice_that_can_be_followed():
    parts = [Batch("run", 1, 0.4, 0.9), Batch("run", 2, 0.2, 0.7)]
    said = _batch_finding(parts, Means(formula="drug")).sentence
    assert "90% of what the design leaves of PC1" in said
    assert "70% of what the design leaves of PC2" in said
    assert "design='~ run + drug' takes" in said
    groups = _batch_finding(parts, Means(takes_design=False, formula="drug")).sentence
    assert "method='ols' with design='~ run + drug'" in groups


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"method": "wilcoxon"},
            Means("wilcoxon", takes_lfc=False, takes_design=False, formula="condition"),
        ),
        ({"design": "~ batch + condition"}, Means("edger", formula="batch + condition")),
    ],
)
def test_means_are_those_of_the_method(options, expected):
    adata = dex.datasets.simulate_counts(n_genes=80, n_per_group=4, n_batches=2, seed=1)
    dex.tl.rank_genes(adata, groupby="condition", **options)

    def means():
        asked = {"tests": None, "padj": 0.05, "groupby": None, "gene_symbols": None}
        return Means.of_ranking(Ranking.from_adata(adata, "rank_genes", **asked))

    assert means() == expected
    adata.uns["dex_filter"] = {"n_before": 100, "n_after": 80, "rule": "a rule"}
    assert means() == replace(expected, filtered=True)


@pytest.mark.parametrize("shape", ["hill", "peak at 1", "both ends"])
def test_a_histogram_of_the_wrong_shape_is_a_warning(shape):
    odd = replace(FINE, shape=shape, sentence="Odd.")
    assert any("Odd." in one for one in sentences(replace(EVIDENCE, shape=odd), "warning"))
    tested_against_lfc = replace(EVIDENCE, shape=odd, lfc=1.0)
    assert sentences(tested_against_lfc, "warning") == []


def test_warnings_come_before_the_rest():
    found = diagnose(replace(counted(n_reference=2), median_log2fc=0.4))[1:]
    order = {"warning": 0, "info": 1, "ok": 2}
    assert [order[one.level] for one in found] == sorted(order[one.level] for one in found)
    assert len([one for one in found if one.level == "warning"]) == 2


def test_missing_numbers_are_no_findings():
    evidence = replace(EVIDENCE, df=np.nan, median_log2fc=np.nan, smallest_pval=np.nan)
    assert sentences(evidence, "warning") == []
