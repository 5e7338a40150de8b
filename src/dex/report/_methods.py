"""The paragraph for a paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

from dex.data.scale import LAYERS_KEY
from dex.data.size_factors import TITLES
from dex.design.wording import plural
from dex.report._filtering import all_tested, filter_words, scale_words
from dex.report._html import Html, element, join
from dex.report._references import (
    ADJUSTMENTS,
    OF_FACTORS,
    OF_METHOD,
    OF_SHRINKAGE,
    OF_STRATA,
    REFERENCES,
)
from dex.report._shared import shared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dex.report._ranking import Ranking


@dataclass(slots=True)
class Citations:
    """The references of a text, in the order in which they were first cited."""

    keys: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Citations that came with a result, in words."""

    def cite(self, *keys: str) -> str:
        """Return the citation in brackets, and remember it."""
        self.keys += [key for key in keys if key not in self.keys]
        return f"({'; '.join(REFERENCES[key].cited for key in keys)})"

    def cite_words(self, words: str) -> str:
        """Cite what a result says of its method."""
        if words and words not in self.others:
            self.others.append(words)
        return f"({words})" if words else ""


def methods_html(rankings: Sequence[Ranking]) -> Html:
    """Return the paragraph with its Copy button, and what it cites."""
    citations = Citations()
    written = [methods_sentences(ranking, citations) for ranking in rankings]
    last = _software(rankings[0], citations)
    paragraphs = [element("p", words) for words in _paragraphs(rankings, written, last) if words]
    plain = [*map(_linked, citations.keys), *(f"{words}." for words in citations.others)]
    bibtex = [REFERENCES[key].bibtex for key in citations.keys]
    bibtex += [_misc(number, words) for number, words in enumerate(citations.others, start=1)]
    return join(
        (
            element("p", "Ready to be put into a paper; add how samples and reads were made."),
            element("div", *paragraphs, class_="methods", id="methods-text"),
            _copy("methods-text"),
            element("h3", "References"),
            element(
                "ol", *(element("li", line) for line in plain), class_="refs", id="references-text"
            ),
            _copy("references-text"),
            element(
                "details",
                element("summary", "BibTeX"),
                element("pre", "\n".join(bibtex), id="bibtex-text"),
                _copy("bibtex-text"),
            ),
        )
    )


def _paragraphs(
    rankings: Sequence[Ranking], written: Sequence[Sequence[str]], last: str
) -> list[str]:
    """What all results share first and last, and what differs between them."""
    said = shared(written)
    adjusted = [words for words in said.common if words == written[0][-1]]
    first = [words for words in said.common if words not in adjusted]
    if not any(said.rest):
        return [" ".join((*first, *adjusted)), last]
    own = [
        f"Result {ranking.key}: {' '.join(rest)}" if rest else ""
        for ranking, rest in zip(rankings, said.rest, strict=True)
    ]
    return [" ".join(first), *own, " ".join((*adjusted, last))]


def methods_sentences(ranking: Ranking, citations: Citations) -> list[str]:
    """Write how one result was made, in whole sentences; the last is of the adjustment."""
    sentences = (
        _pseudobulk_sentence(ranking, citations),
        _strata_sentence(ranking),
        _filter_sentence(ranking, citations),
        _tested_sentence(ranking),
        _normalisation_sentence(ranking, citations),
        _test_sentence(ranking, citations),
        _details_sentence(ranking, citations),
        _adjustment_sentence(ranking, citations),
    )
    return [sentence for sentence in sentences if sentence]


def _pseudobulk_sentence(ranking: Ranking, citations: Citations) -> str:
    if not ranking.is_pseudobulk:
        return ""
    by = " and ".join(map(str, ranking.params.get("sample_by", [ranking.params["replicate"]])))
    at_least = ranking.params.get("min_cells")
    few = f"; sums of fewer than {plural(at_least, 'cell')} were left out" if at_least else ""
    return (
        f"Counts of cells were added up by {by} into {plural(len(ranking.obs), 'sample')}{few} "
        f"{citations.cite('Crowell2020', 'Squair2021')}, and genes with too few counts in them "
        f"were left out by edgeR's rule {citations.cite('Chen2016')}."
    )


def _strata_sentence(ranking: Ranking) -> str:
    if ranking.per is None:
        return ""
    n = len(ranking.stored.strata)
    return (
        f"Each of the {plural(n, 'level')} of {ranking.per} was analysed by itself: its genes, "
        "normalisation and tests are its own."
    )


def _filter_sentence(ranking: Ranking, citations: Citations) -> str:
    kept = filter_words(ranking)
    if "filterByExpr" in kept:
        return f"{kept.removesuffix('.')} {citations.cite('Chen2016')}."
    return kept


def _tested_sentence(ranking: Ranking) -> str:
    n_vars = ranking.adata.n_vars
    tested = [test.n_tested for test in ranking.tests]
    low, high = min(tested), max(tested)
    if low == n_vars:
        return all_tested(n_vars)
    span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"Of {plural(n_vars, 'gene')}, {span} {'was' if high == 1 else 'were'} tested."


def _normalisation_sentence(ranking: Ranking, citations: Citations) -> str:
    params = ranking.params
    factors, scale = params.get("size_factors"), params.get("scale")
    if not factors:
        return _layer_sentence(ranking, citations)
    cited = f" {citations.cite(OF_FACTORS[factors])}" if factors in OF_FACTORS else ""
    if factors == "library":
        how = "library sizes"
    elif factors in TITLES:
        how = f"{TITLES[factors]} size factors{cited}"
    else:
        how = f"the size factors in {factors}"
    if params.get("counts_modelled"):
        return f"Counts were modelled as they are, with {how}."
    what = {"logcpm": "log2 counts per million with a prior count of 2"}
    return f"Counts were normalised by {how} to {what.get(str(scale), scale_words(scale))}."


def _layer_sentence(ranking: Ranking, citations: Citations) -> str:
    """Say what values that were not normalised on the way are; the record of a layer knows."""
    params = ranking.params
    scale = scale_words(params.get("scale"))
    record = ranking.adata.uns.get(LAYERS_KEY, {}).get(str(params.get("layer")), {})
    method = str(record.get("size_factor_method", ""))
    if method not in TITLES:
        logged = params.get("source_scale") != params.get("scale")
        return f"The values tested were {scale}{', logged for the test' if logged else ''}."
    cited = f" {citations.cite(OF_FACTORS[method])}" if method in OF_FACTORS else ""
    return f"Counts had been normalised by {TITLES[method]}{cited}, and were tested as {scale}."


def _test_sentence(ranking: Ranking, citations: Citations) -> str:
    params = ranking.params
    omnibus = any(test.kind == "omnibus" for test in ranking.tests)
    title = str(params.get("method_title", params.get("method", "an unnamed test")))
    of_method = OF_METHOD.get((str(params.get("method")), omnibus))
    known = OF_STRATA if params.get("weights") else of_method
    said = citations.cite(known) if known else citations.cite_words(str(params.get("citation", "")))
    design = f" with the design {params['design']}" if params.get("design") else ""
    the = "the " if title.endswith("test") and "'s " not in title else ""
    return f"Genes were tested by {the}{title} {said}{design}: {_tests_in_words(ranking)}."


def _tests_in_words(ranking: Ranking) -> str:
    names = [f"{test.name} ({test.sides} {ranking.unit})" for test in ranking.tests]
    if len(names) > 4:
        return f"{len(names)} tests ({ranking.tests[0].name}, ..., {ranking.tests[-1].name})"
    return "; ".join(names)


def _model_details(params: Mapping[str, Any], citations: Citations) -> list[str]:
    """What a model that moderates variances or dispersions was asked to do."""
    said = []
    if params.get("trend"):
        said.append("the prior variance followed a trend over mean expression")
    if params.get("robust"):
        said.append(f"outlying variances were moderated less {citations.cite('Phipson2016')}")
    if params.get("sample_weights"):
        said.append(f"samples were weighted by their quality {citations.cite('Liu2015')}")
    if params.get("shrink"):
        known = OF_SHRINKAGE.get(str(params["shrink"]))
        by = f" {citations.cite(known)}" if known else ""
        said.append(f"fold changes were shrunk by {params['shrink']}{by}")
    if params.get("reduced"):
        said.append(f"the reduced design was {params['reduced']}")
    if params.get("independent_filtering"):
        how = citations.cite("Bourgon2010")
        said.append(f"genes with low mean counts were filtered independently of the test {how}")
    return said


def _details_sentence(ranking: Ranking, citations: Citations) -> str:
    params = ranking.params
    said = _model_details(params, citations)
    if params.get("weights"):
        words = f"within the levels of {params['block']}, with {params['weights']} weights"
        said.append(f"observations were compared {words}")
    elif params.get("method") == "mixed":
        by = citations.cite("Bates2015")
        said.append(f"every level of {params['block']} had a random intercept, fitted by REML {by}")
        if params.get("voom"):
            said.append(f"values had voom's precision weights {citations.cite('Law2014')}")
    elif params.get("block") and params.get("design"):
        repeats = f"samples of one level of {params['block']} were taken to be correlated"
        said.append(f"{repeats} {citations.cite('Smyth2005')}")
    elif params.get("block"):
        said.append(f"observations were paired by {params['block']}")
    if (side := params.get("alternative", "two-sided")) != "two-sided":
        way = "higher" if side == "greater" else "lower"
        said.append(f"p-values were one-sided, against the group being {way} than its reference")
    if params.get("continuity"):
        said.append("asymptotic p-values were corrected for continuity")
    if params.get("vcov", "classical") != "classical":
        said.append(f"standard errors were {params['vcov']} {citations.cite('MacKinnon1985')}")
    if params.get("lfc"):
        against = citations.cite("McCarthy2009")
        said.append(
            f"the null hypothesis held log2 fold changes of up to {params['lfc']:g} {against}"
        )
    sentence = "; ".join(said)
    return f"{sentence[:1].upper()}{sentence[1:]}." if said else ""


def _adjustment_sentence(ranking: Ranking, citations: Citations) -> str:
    params = ranking.params
    method = str(params.get("corr_method", "fdr_bh"))
    words, key = ADJUSTMENTS.get(method, (f"statsmodels' {method}", ""))
    scope = (
        "over all tests together" if params.get("padj_scope") == "global" else "within each test"
    )
    if ranking.per is not None and params.get("padj_scope") != "global":
        scope += f" (and, as padj_global, over all of {ranking.per})"
    cited = f" {citations.cite(key)}" if key else ""
    limit = f"genes with an adjusted p-value of at most {ranking.padj:g} were called changed"
    return f"P-values were adjusted by {words}{cited} {scope}; {limit}."


def _software(ranking: Ranking, citations: Citations) -> str:
    versions = ranking.stored.entry.get("versions", {})

    def of(package: str) -> str:
        return str(versions.get(package) or metadata.version(package))

    cited = ("anndata", "Virshup2024"), ("scanpy", "Wolf2018"), ("numpy", "Harris2020")
    used = [f"{package} {of(package)} {citations.cite(key)}" for package, key in cited]
    last = f"scipy {of('scipy')} {citations.cite('Virtanen2020')}"
    return f"Analysed with dex {of('dex-de')}, {', '.join(used)} and {last}."


def _linked(key: str) -> Html:
    """Return a reference with a link to the paper, which is followed when it is clicked."""
    reference = REFERENCES[key]
    address = f"https://doi.org/{reference.doi}"
    link = element("a", address, href=address) if reference.doi else None
    return join((reference.plain, " ", link))


def _misc(number: int, words: str) -> str:
    return f"@misc{{method{number},\n  note = {{{words}}}\n}}"


def _copy(of: str) -> Html:
    return element("p", element("button", "Copy", type="button", class_="copy", data_copies=of))
