"""A small report with hostile names, written once and read with the standard library alone."""

from __future__ import annotations

import base64
import gzip
import json
from html.parser import HTMLParser

import numpy as np
import pytest

import dex
from dex.report import write

VOID = {"br", "img", "input", "link", "meta", "col"}
NASTY = "<script>alert(1)</script>"
NASTY_END = '</script><img src=x onerror="alert(2)">'


class Page(HTMLParser):
    """The document: its elements, whether they nest, its text and its arrays."""

    def __init__(self, document):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.errors, self.words = [], [], [], []
        self.scripts, self.text_of = {}, {}
        self.feed(document)
        self.close()
        self.errors += [f"never closed: {tag}" for tag, _ in self.open]

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append((tag, attributes))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.errors.append(f"</{tag}> at {self.getpos()}")
        else:
            self.open.pop()

    def handle_data(self, words):
        tag, attributes = self.open[-1] if self.open else ("", {})
        if tag == "script":
            name = attributes.get("id", "program")
            self.scripts[name] = (attributes, self.scripts.get(name, ({}, ""))[1] + words)
        elif tag != "style":
            self.words.append(words)
            for _, parent in self.open:
                if "id" in parent:
                    self.text_of[parent["id"]] = self.text_of.get(parent["id"], "") + words

    @property
    def meta(self):
        return json.loads(self.scripts["dex-meta"][1])

    def array(self, name):
        """Decode an array as the browser does."""
        attributes, payload = self.scripts[name]
        raw = gzip.decompress(base64.b64decode(payload))
        if attributes["data-kind"] == "text":
            return json.loads(raw)
        planes = int(attributes["data-planes"])
        words = np.zeros((len(raw) // planes, 4), dtype=np.uint8)
        words[:, :planes] = np.frombuffer(raw, dtype=np.uint8).reshape(planes, -1).T
        kind = np.float32 if attributes["data-kind"] == "float" else np.int32
        return words.ravel().view(">u4").astype(np.uint32).view(kind)


@pytest.fixture(scope="session")
def page():
    return Page


@pytest.fixture(scope="session")
def hostile():
    """Samples x genes, with markup in names of genes, samples, columns and levels."""
    adata = dex.datasets.simulate_counts(n_genes=300, n_per_group=4, de_fraction=0.3, seed=3)
    names = adata.var_names.to_list()
    names[:3] = [NASTY, NASTY_END, "=1+1"]
    adata.var_names = names
    adata.var["symbol"] = [f"S{i}" if i % 2 else None for i in range(300)]
    adata.obs_names = [f"<b>s{i}</b>&" for i in range(8)]
    adata.obs["a<i>"] = [f'"{NASTY}' if i % 2 else "y" for i in range(8)]
    condition = adata.obs["condition"].cat.rename_categories({"treated": NASTY})
    adata.obs["condition"] = condition
    dex.tl.rank_genes(adata, groupby="condition")
    return adata


@pytest.fixture(scope="session")
def report(hostile, tmp_path_factory):
    """The path of a report of it with figures."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    write(hostile, path, title=f"Of {NASTY_END}", date="2026-01-01", gene_symbols="symbol")
    return path


@pytest.fixture(scope="session")
def parsed(report):
    return Page(report.read_text(encoding="utf-8"))
