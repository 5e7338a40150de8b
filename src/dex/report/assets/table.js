const ROWS_PER_PAGE = 25;

class GeneTable {
  /* The table of one test: sorted, filtered and shown a page at a time. */
  constructor(result, test, data, names, ids, holder) {
    Object.assign(this, { result, test, data, names, ids, holder, page: 0, opened: null });
    this.sorted = { name: "log10_pval", descending: false };
    this.lower = null;
    this.size = test.rows === null ? names.length : data.rows.length;
    this.columns = result.columns.filter((column) => column.name in test.arrays);
    this.build();
    this.filter();
  }

  gene(row) { return this.test.rows === null ? row : this.data.rows[row]; }

  build() {
    const changed = () => { this.page = 0; this.filter(); };
    const number = (step) => make("input", { type: "number", min: 0, step, oninput: changed });
    this.search = make("input", { type: "search", oninput: changed, placeholder: "name or id" });
    this.padj = number("any");
    this.effect = number("any");
    this.direction = make("select", { onchange: changed },
      ...[["", "both"], ["up", "up"], ["down", "down"]].map(([value, word]) => make("option", { value }, word)));
    const labelled = (words, input) => make("label", {}, words, input);
    const controls = make("div", { class: "controls" }, labelled("Gene", this.search));
    if ("log10_padj" in this.data) controls.append(labelled("Adjusted p ≤", this.padj));
    if (this.hasEffect()) controls.append(labelled("|log2fc| ≥", this.effect), labelled("Direction", this.direction));
    controls.append(make("button", { type: "button", onclick: () => this.reset() }, "Clear"),
      make("button", { type: "button", onclick: () => this.download() }, "Download CSV"));
    this.heads = new Map();
    const header = make("tr", {}, this.head({ name: "gene", label: "gene", kind: "gene", title: "Gene" }),
      ...this.columns.map((column) => this.head(column)));
    this.body = make("tbody");
    this.count = make("span", { role: "status", "aria-live": "polite" });
    this.previous = make("button", { type: "button", onclick: () => this.turn(-1) }, "Previous");
    this.next = make("button", { type: "button", onclick: () => this.turn(1) }, "Next");
    const help = make("p", { class: "small help" }, "Click a heading to sort, a gene to see its expression.");
    this.holder.replaceChildren(controls, help,
      make("div", { class: "genes" }, make("table", {}, make("thead", {}, header), this.body)),
      make("div", { class: "pages" }, this.previous, this.next, this.count));
  }

  hasEffect() { return "log2fc" in this.data && this.data.log2fc.some((value) => !Number.isNaN(value)); }

  head(column) {
    const button = make("button", { type: "button", title: column.title, onclick: () => this.sortBy(column) }, column.label);
    const cell = make("th", { scope: "col", class: column.kind === "gene" ? null : "n" }, button);
    this.heads.set(column.name, { cell, button, label: column.label });
    return cell;
  }

  /* Effects and statistics begin with the largest, p-values and names with the first. */
  sortBy(column) {
    const first = !(column.kind === "p" || column.kind === "gene" || column.kind === "status");
    const same = this.sorted.name === column.name;
    this.sorted = { name: column.name, descending: same ? !this.sorted.descending : first };
    this.page = 0;
    this.filter();
  }

  keys() {
    if (this.sorted.name !== "gene") return this.data[this.sorted.name];
    if (this.alphabet === undefined) {
      const collator = new Intl.Collator("en", { numeric: true });
      const order = Array.from({ length: this.size }, (_, row) => row)
        .sort((a, b) => collator.compare(this.names[this.gene(a)], this.names[this.gene(b)]));
      this.alphabet = new Float32Array(this.size);
      order.forEach((row, place) => { this.alphabet[row] = place; });
    }
    return this.alphabet;
  }

  ordered() {
    const keys = this.keys();
    const rows = new Uint32Array(this.size).map((_, row) => row);
    const sign = this.sorted.descending ? -1 : 1;
    const ties = this.data.stat ?? keys;
    const compare = (a, b) => {
      const x = keys[a], y = keys[b];
      if (x < y) return -sign;
      if (x > y) return sign;
      if (x === y) return Math.abs(ties[b]) - Math.abs(ties[a]) || a - b;
      return Number.isNaN(x) - Number.isNaN(y) || a - b; // missing values last either way
    };
    return rows.sort(compare);
  }

  matches() {
    const words = this.search.value.trim().toLowerCase();
    const padj = this.padj.value === "" ? null : Math.log10(Number(this.padj.value));
    const effect = this.effect.value === "" ? null : Number(this.effect.value);
    const sign = { up: 1, down: -1 }[this.direction.value];
    const { log2fc, log10_padj } = this.data;
    if (words && this.lower === null) this.lower = this.names.map((name, i) => `${name}\n${this.ids[i]}`.toLowerCase());
    return (row) => (!words || this.lower[this.gene(row)].includes(words))
      && (padj === null || log10_padj[row] <= padj + 1e-6)
      && (effect === null || Math.abs(log2fc[row]) >= effect)
      && (sign === undefined || sign * log2fc[row] > 0);
  }

  filter() {
    const key = `${this.sorted.name} ${this.sorted.descending}`;
    if (this.orderKey !== key) { this.order = this.ordered(); this.orderKey = key; }
    this.shown = this.order.filter(this.matches());
    for (const [name, { cell, button, label }] of this.heads) {
      const active = name === this.sorted.name;
      cell.setAttribute("aria-sort", active ? (this.sorted.descending ? "descending" : "ascending") : "none");
      button.textContent = label + (active ? (this.sorted.descending ? " ▼" : " ▲") : "");
    }
    this.draw();
  }

  turn(step) { this.page += step; this.draw(); }

  reset() {
    for (const input of [this.search, this.padj, this.effect, this.direction]) input.value = "";
    this.page = 0;
    this.filter();
  }

  draw() {
    const start = this.page * ROWS_PER_PAGE, stop = Math.min(start + ROWS_PER_PAGE, this.shown.length);
    this.body.replaceChildren(...Array.from(this.shown.slice(start, stop), (row) => this.row(row)));
    this.opened = null;
    const of = this.shown.length === this.size ? "" : ` (of ${this.size.toLocaleString("en")})`;
    this.count.textContent = this.shown.length
      ? `Genes ${(start + 1).toLocaleString("en")}–${stop.toLocaleString("en")} of ${this.shown.length.toLocaleString("en")}${of}`
      : `No gene passes these filters${of}.`;
    this.previous.disabled = start === 0;
    this.next.disabled = stop >= this.shown.length;
  }

  row(row) {
    const gene = this.gene(row), name = this.names[gene], id = this.ids[gene];
    const button = make("button", { type: "button", "aria-expanded": "false" }, name);
    const first = make("td", {}, button, ...(id === name ? [] : [" ", make("span", { class: "ids" }, id)]));
    const cells = this.columns.map((column) => make("td", { class: `n${this.side(column, row)}` }, formatCell(column, this.data[column.name][row])));
    const line = make("tr", {}, first, ...cells);
    line.addEventListener("click", () => this.open(line, button, gene));
    return line;
  }

  side(column, row) {
    if (column.name !== "log2fc" || !(this.data.log10_padj?.[row] <= meta.log10_padj)) return "";
    return this.data.log2fc[row] > 0 ? " up" : " down";
  }

  async open(line, button, gene) {
    const before = this.opened;
    if (before) { before.more.remove(); before.button.setAttribute("aria-expanded", "false"); this.opened = null; }
    if (before && before.line === line) return;
    const cell = make("td", { colspan: this.columns.length + 1 });
    const more = make("tr", { class: "more" }, cell);
    line.after(more);
    button.setAttribute("aria-expanded", "true");
    this.opened = { line, button, more };
    const width = Math.min(this.holder.clientWidth, 860);
    cell.append(await genePanel(this.result, gene, this.names[gene], width));
  }

  download() {
    const header = ["gene", ...(this.ids === this.names ? [] : ["gene_id"])];
    for (const column of this.columns) header.push(...(column.kind === "p" ? [column.plain, column.name] : [column.name]));
    const lines = [header.join(",")];
    for (const row of this.shown) {
      const gene = this.gene(row);
      const cells = [csvText(this.names[gene]), ...(this.ids === this.names ? [] : [csvText(this.ids[gene])])];
      for (const column of this.columns) {
        const value = this.data[column.name][row];
        cells.push(csvCell(column, value));
        if (column.kind === "p") cells.push(Number.isNaN(value) ? "" : String(Number(value.toPrecision(meta.digits))));
      }
      lines.push(cells.join(","));
    }
    saveText(`${lines.join("\n")}\n`, `${this.test.file}.csv`);
  }
}
