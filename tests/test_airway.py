"""The glucocorticoid genes of airway smooth muscle, from the CSV to the ranked table."""

import pytest

import dex

# FKBP5, DUSP1, KLF15, PER1, CRISPLD2: up under dexamethasone (Himes 2014).
KNOWN = [
    "ENSG00000096060",
    "ENSG00000120129",
    "ENSG00000163884",
    "ENSG00000179094",
    "ENSG00000103196",
]
N_FILTERED = 16_860  # genes that edgeR 4.4.2's filterByExpr keeps under this design
LAST_RANK = 1_100  # plain least squares puts them from about 110 to about 1,040


@pytest.fixture
def airway(realdata):
    folder = realdata / "airway"
    return dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")


@pytest.mark.realdata
@pytest.mark.parametrize(
    "question",
    [
        {"design": "~ celltype + dex"},
        {"design": "~ celltype + dex", "groupby": "dex"},
        {"design": "~ celltype + dex", "contrasts": ("dex", "treated", "control")},
        {"design": "~ celltype + dex", "contrasts": "treated - control"},
        {"design": "~ 0 + dex + celltype", "contrasts": "treated - control"},
    ],
)
def test_known_genes_are_up_however_they_are_asked_for(airway, question):
    dex.pp.filter_genes(airway, design="~ celltype + dex")
    assert airway.n_vars == N_FILTERED
    dex.tl.rank_genes(airway, method="ols", **question)
    table = dex.get.rank_genes_df(airway).set_index("gene")
    known = table.loc[KNOWN]
    assert (known["log2fc"] > 2).all()
    assert (known["padj"] < 0.05).all()
    assert table.index.get_indexer(KNOWN).max() < LAST_RANK


@pytest.mark.realdata
def test_paired_t_test_is_least_squares_with_the_donor_in_it(airway):
    dex.pp.filter_genes(airway, design="~ celltype + dex")
    dex.tl.rank_genes(airway, groupby="dex", method="t-test-paired", block="celltype")
    paired = airway.var[["rank_genes_stat", "rank_genes_mean_diff"]].to_numpy()
    dex.tl.rank_genes(airway, groupby="dex", design="~ celltype + dex", method="ols")
    fitted = airway.var[["rank_genes_stat", "rank_genes_log2fc"]].to_numpy()
    assert paired == pytest.approx(fitted, rel=1e-7)  # differences near 0 lose digits
