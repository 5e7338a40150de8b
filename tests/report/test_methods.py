"""The paragraph names what was done, and every citation is in the list."""

import re

import pytest

import dex
from dex.report._data import in_words
from dex.report._methods import Citations, methods_sentences
from dex.report._ranking import Ranking
from dex.report._references import ADJUSTMENTS, OF_FACTORS, OF_METHOD, OF_STRATA, REFERENCES


def text_of(adata, **options):
    dex.tl.rank_genes(adata, **options)
    citations = Citations()
    ranking = Ranking.from_adata(
        adata, "rank_genes", tests=None, padj=0.05, groupby=None, gene_symbols=None
    )
    return " ".join(methods_sentences(ranking, citations)), citations


@pytest.fixture
def adata():
    return dex.datasets.simulate_counts(n_genes=100, n_per_group=4, n_batches=2, seed=1)


def test_every_name_has_its_reference():
    cited = {
        OF_STRATA,
        *OF_METHOD.values(),
        *OF_FACTORS.values(),
        *(key for _, key in ADJUSTMENTS.values()),
    }
    assert cited <= set(REFERENCES)


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=lambda one: one.key)
def test_references_are_whole(reference):
    assert re.fullmatch(r"(1[89]|20)\d\d", reference.year)
    assert reference.year in reference.cited
    assert reference.key.endswith(reference.year)
    assert reference.bibtex.count("{") == reference.bibtex.count("}")
    assert reference.title in reference.plain


def test_two_authors_are_named_and_three_are_not():
    assert REFERENCES["Mann1947"].cited == "Mann & Whitney, 1947"
    assert REFERENCES["Chen2016"].cited == "Chen et al., 2016"


def test_a_model_is_described(adata):
    text, citations = text_of(
        adata, groupby="condition", design="~ batch + condition", lfc=0.5, method="ols"
    )
    assert "ordinary least squares (Fisher, 1922) with the design ~ batch + condition" in text
    assert "TMM size factors (Robinson & Oshlack, 2010)" in text
    assert "log2 fold changes of up to 0.5 (McCarthy & Smyth, 2009)" in text
    assert "Benjamini and Hochberg (Benjamini & Hochberg, 1995) within each test" in text
    assert citations.keys == ["Robinson2010", "Fisher1922", "McCarthy2009", "Benjamini1995"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "wilcoxon"}, "the Wilcoxon rank-sum test (Mann & Whitney, 1947)"),
        ({"method": "wilcoxon", "test": "any"}, "the Kruskal-Wallis test (Kruskal & Wallis, 1952)"),
        ({"padj_method": "bonferroni", "padj_scope": "global"}, "over all tests together"),
        (
            {"method": "wilcoxon", "block": "batch"},
            "van Elteren's stratified Wilcoxon rank-sum test (van Elteren, 1960)",
        ),
        (
            {"method": "wilcoxon", "block": "batch", "weights": "design-free"},
            "Observations were compared within the levels of batch, with design-free weights",
        ),
        ({"method": "wilcoxon", "continuity": True}, "were corrected for continuity"),
        ({"alternative": "less"}, "one-sided, against the group being lower than its reference"),
        ({"method": "ols", "vcov": "HC3"}, "errors were HC3 (MacKinnon & White, 1985)"),
        ({}, "edgeR's quasi-likelihood F test (Chen et al., 2025)"),
        ({}, "Counts were modelled as they are, with TMM size factors"),
        ({"method": "deseq2", "shrink": "apeglm"}, "shrunk by apeglm (Zhu et al., 2019)"),
        ({"method": "limma", "robust": True}, "moderated less (Phipson et al., 2016)"),
        ({"method": "limma_voom", "block": "batch"}, "taken to be correlated (Smyth et al., 2005)"),
        ({"size_factors": "median_ratio"}, "median of ratios size factors (Anders & Huber, 2010)"),
    ],
)
def test_options_are_described(adata, options, said):
    assert said in text_of(adata, groupby="condition", **options)[0]


def test_a_method_that_is_not_known_is_cited_in_its_own_words(adata):
    dex.tl.rank_genes(adata, groupby="condition")
    params = adata.uns["rank_genes"]["params"]
    params |= {"method": "new", "method_title": "new test", "citation": "Someone (2030), Journal 1"}
    ranking = Ranking.from_adata(
        adata, "rank_genes", tests=None, padj=0.05, groupby=None, gene_symbols=None
    )
    citations = Citations()
    assert "the new test (Someone (2030), Journal 1)" in " ".join(
        methods_sentences(ranking, citations)
    )
    assert citations.others == ["Someone (2030), Journal 1"]


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([0, 1, 0], "b"),
        ([0, -1, 0.5], "\N{MINUS SIGN}b + 0.5·c"),
        ([0, 0, 0], "0"),
        ([1, 1 / 3, -1], "a + 0.333·b \N{MINUS SIGN} c"),
    ],
)
def test_contrasts_are_sums(weights, words):
    assert in_words(weights, ["a", "b", "c"]) == words


def test_genes_that_were_filtered_are_told(adata):
    dex.pp.filter_genes(adata, groupby="condition")
    text, citations = text_of(adata, groupby="condition")
    assert f"Of 100 genes, the {adata.n_vars} were kept that pass edgeR's filterByExpr rule" in text
    assert "(Chen et al., 2016)." in text
    assert citations.keys[0] == "Chen2016"


def test_a_rank_test_without_fold_changes_is_no_omnibus_test(adata):
    dex.pp.normalize(adata, "zscore")
    text, _ = text_of(adata, groupby="condition", layer="zscore", method="wilcoxon")
    assert "the Wilcoxon rank-sum test (Mann & Whitney, 1947)" in text


def test_how_a_layer_was_made_is_told(adata):
    dex.pp.normalize(adata)
    text, citations = text_of(adata, groupby="condition", layer="logcpm")
    assert "Counts had been normalised by TMM (Robinson & Oshlack, 2010), and were tested" in text
    assert "Robinson2010" in citations.keys
