"""The page in a browser: sorted, filtered, a gene opened, and nothing asked of the network."""

import shutil

import pytest

import dex

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def opened(report):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the path")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(report.as_uri())
        page.wait_for_selector(".holder[data-ready]")
        yield page, said, asked
        browser.close()


def test_the_table_sorts_filters_and_draws(opened, hostile):
    page, said, asked = opened
    holder, frame = page.locator(".holder"), dex.get.rank_genes_df(hostile, gene_symbols="symbol")
    first = holder.locator("tbody td button").first
    assert first.inner_text() == frame["gene"][0]
    holder.get_by_role("button", name="log2fc").click()
    assert first.inner_text() == frame["gene"][frame["log2fc"].idxmax()]
    holder.get_by_label("Adjusted p").fill("0.05")
    holder.get_by_label("Direction").select_option("down")
    n_down = ((frame["padj"] <= 0.05) & (frame["log2fc"] < 0)).sum()
    assert f"of {n_down} (of 300)" in holder.get_by_role("status").inner_text()
    first.click()
    page.wait_for_selector(".panel svg circle")
    assert page.locator(".panel svg circle").count() == 8
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
