const NO_DECOMPRESSION = "This browser cannot unpack the tables (it has no DecompressionStream); any browser of 2023 or later can.";

async function startTest(holder) {
  if (holder.dataset.started) return;
  holder.dataset.started = "yes";
  const result = meta.results[Number(holder.dataset.result)];
  const test = result.tests[Number(holder.dataset.test)];
  if (!("DecompressionStream" in window)) { holder.prepend(make("p", {}, NO_DECOMPRESSION)); return; }
  try {
    const names = await load(meta.names);
    const ids = meta.ids === meta.names ? names : await load(meta.ids);
    const data = await loadColumns(test.rows === null ? test.arrays : { ...test.arrays, rows: test.rows });
    holder.table = new GeneTable(result, test, data, names, ids, holder);
    holder.dataset.ready = "yes";
  } catch (error) {
    holder.prepend(make("p", {}, `The table could not be unpacked: ${error.message}`));
  }
}

function startIfOpen(details) {
  if (details.open) details.querySelectorAll(".holder").forEach(startTest);
}

const everyTest = Array.from(document.querySelectorAll("details.test"));
everyTest.forEach((details) => {
  details.addEventListener("toggle", () => startIfOpen(details));
  startIfOpen(details);
});

document.querySelectorAll("button.copy").forEach((button) => {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(source.innerText);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      if (!document.execCommand("copy")) { button.textContent = "Selected: press Ctrl+C"; return; }
    }
    button.textContent = "Copied";
  });
});

/* A link to a test opens it; on paper all tests are open. */
function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.matches("details")) target.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();
let closedBefore = [];
addEventListener("beforeprint", () => {
  closedBefore = everyTest.filter((details) => !details.open);
  closedBefore.forEach((details) => { details.open = true; });
});
addEventListener("afterprint", () => closedBefore.forEach((details) => { details.open = false; }));
