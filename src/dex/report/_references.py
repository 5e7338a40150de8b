"""What is cited: in the text, as a list, and as BibTeX; read from ``assets/references.bib``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

_ENTRY = re.compile(r"@article\{(?P<key>\w+),\n(?P<fields>.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reference:
    """A paper."""

    key: str
    authors: tuple[str, ...]
    """Family name first; ``others`` is the rest of them."""
    year: str
    title: str
    journal: str
    place: str
    """Volume and pages."""
    doi: str
    bibtex: str
    """The whole entry."""

    @classmethod
    def from_bibtex(cls, entry: re.Match[str]) -> Reference:
        """Read an entry of the file."""
        fields = dict(_FIELD.findall(entry["fields"]))
        place = f"{fields['volume']}:{fields['pages'].replace('--', '-')}"
        authors = tuple(fields["author"].split(" and "))
        title = fields["title"].strip("{}")
        return cls(
            entry["key"],
            authors,
            fields["year"],
            title,
            fields["journal"],
            place,
            fields.get("doi", ""),
            entry[0],
        )

    @property
    def cited(self) -> str:
        """As it stands in a sentence."""
        names = [author.split(",")[0] for author in self.authors]
        if len(names) > 2 or names[-1] == "others":
            return f"{names[0]} et al., {self.year}"
        return f"{' & '.join(names)}, {self.year}"

    @property
    def plain(self) -> str:
        """As it stands in a list."""
        people = "; ".join(self.authors).replace("; others", " et al.")
        return f"{people} ({self.year}). {self.title}. {self.journal} {self.place}."


def _read() -> dict[str, Reference]:
    file = resources.files("dex.report").joinpath("assets", "references.bib")
    entries = _ENTRY.finditer(file.read_text(encoding="utf-8"))
    return {entry["key"]: Reference.from_bibtex(entry) for entry in entries}


REFERENCES: Final = _read()
OF_METHOD: Final = {
    ("t-test", False): "Welch1947",
    ("t-test", True): "Welch1951",
    ("t-test-student", False): "Student1908",
    ("t-test-paired", False): "Student1908",
    ("wilcoxon", False): "Mann1947",
    ("wilcoxon", True): "Kruskal1952",
    ("ols", False): "Fisher1922",
    ("ols", True): "Fisher1922",
    ("limma", False): "Smyth2004",
    ("limma", True): "Smyth2004",
    ("limma_voom", False): "Law2014",
    ("limma_voom", True): "Law2014",
    ("edger", False): "Chen2025",
    ("edger", True): "Chen2025",
    ("edger_lrt", False): "McCarthy2012",
    ("edger_lrt", True): "McCarthy2012",
    ("edger_exact", False): "Robinson2008",
    ("mixed", False): "Kuznetsova2017",
    ("mixed", True): "Kuznetsova2017",
    ("deseq2", False): "Love2014",
    ("deseq2", True): "Love2014",
    ("deseq2_quasi", False): "Ahlmann2020",
    ("deseq2_quasi", True): "Ahlmann2020",
}
"""By the name of the method, and whether it is the omnibus test."""
OF_STRATA: Final = "vanElteren1960"
OF_FACTORS: Final = {
    "tmm": "Robinson2010",
    "tmmwsp": "Robinson2010",
    "rle": "Anders2010",
    "median_ratio": "Anders2010",
    "poscounts": "Anders2010",
    "iterative": "Love2014",
    "upper_quartile": "Bullard2010",
}
OF_SHRINKAGE: Final = {"apeglm": "Zhu2019", "normal": "Love2014", "ash": "Stephens2017"}
ADJUSTMENTS: Final = {
    "fdr_bh": ("the method of Benjamini and Hochberg", "Benjamini1995"),
    "fdr_by": ("the method of Benjamini and Yekutieli", "Benjamini2001"),
    "holm": ("Holm's method", "Holm1979"),
    "simes-hochberg": ("Hochberg's method", "Hochberg1988"),
    "bonferroni": ("the Bonferroni correction", "Dunn1961"),
}
