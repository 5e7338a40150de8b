function shape(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const INK = "#222", FAINT = "#5c5c5c", LINE = "#d9d9d9";
const SUMMARY = ["fraction", "mean", "q05", "q25", "q50", "q75", "q95"];

const pen = document.createElement("canvas").getContext("2d");
function widthOf(words) {
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(words).width;
}

/* Four to seven round numbers from low to high. */
function ticksBetween(low, high) {
  const span = high - low;
  const power = Math.pow(10, Math.floor(Math.log10(span / 5)));
  const step = power * [1, 2, 5, 10].find((factor) => span / (power * factor) <= 6);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * span; i++) ticks.push(i * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return ticks.map((value) => ({ value, word: value.toFixed(decimals).replace("-", "−") }));
}

/* Axes with groups along one side and values along the other; groups lie down if there are many. */
class GroupAxes {
  constructor(expression, values, width) {
    const known = values.filter((value) => !Number.isNaN(value));
    let low = Math.min(...known), high = Math.max(...known);
    if (low >= 0 && low < 0.3 * high) low = 0;
    const room = 0.06 * (high - low) || 0.5;
    this.low = low === 0 ? 0 : low - room;
    this.high = high + room;
    this.zero = low === 0;
    this.names = expression.groups;
    this.shown = this.names.map((name) => (name.length > 28 ? `${name.slice(0, 27)}…` : name));
    const longest = Math.max(...this.shown.map(widthOf));
    const n = this.names.length;
    this.lying = n * Math.max(longest + 8, 44) > width - 60;
    if (this.lying) {
      const label = longest + 12;
      this.width = Math.min(width, label + 340);
      this.height = n * 24 + 44;
      const right = this.width - (expression.kind === "quantiles" ? 48 : 12);
      this.box = { left: label, right, top: 6, bottom: n * 24 + 6 };
    } else {
      this.width = Math.min(width, 60 + n * Math.max(longest + 12, 84));
      this.height = 226 + (expression.kind === "quantiles" ? 16 : 0);
      this.box = { left: 52, right: this.width - 8, top: 8, bottom: 204 };
    }
    this.svg = shape("svg", { width: this.width, height: this.height, viewBox: `0 0 ${this.width} ${this.height}`, role: "img", "font-size": 12 });
    this.drawAxes(expression.axis);
  }

  band() { return (this.lying ? this.box.bottom - this.box.top : this.box.right - this.box.left) / this.names.length; }

  /* Place of a value in a group; offset is in bands, from its middle. */
  at(group, value, offset = 0) {
    const along = (group + 0.5 + offset) * this.band();
    const share = (value - this.low) / (this.high - this.low);
    const { left, right, top, bottom } = this.box;
    return this.lying ? [left + share * (right - left), top + along] : [left + along, bottom - share * (bottom - top)];
  }

  line(from, to, style) {
    this.svg.append(shape("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], stroke: INK, ...style }));
  }

  write(x, y, words, style) {
    this.svg.append(shape("text", { x, y, fill: FAINT, ...style }, words));
  }

  /* A word for a group: right of its row, or below its name. */
  writeBeside(group, words) {
    const { right, bottom } = this.box;
    const [x, y] = this.at(group, this.low);
    if (this.lying) this.write(right + 44, y + 4, words, { "text-anchor": "end" });
    else this.write(x, bottom + 34, words, { "text-anchor": "middle" });
  }

  drawAxes(axis) {
    const { left, right, top, bottom } = this.box;
    for (const { value, word } of ticksBetween(this.low, this.high)) {
      const [x, y] = this.at(0, value);
      if (this.lying) {
        this.line([x, top], [x, bottom], { stroke: LINE });
        this.write(x, bottom + 15, word, { "text-anchor": "middle" });
      } else {
        this.line([left, y], [right, y], { stroke: LINE });
        this.write(left - 6, y + 4, word, { "text-anchor": "end" });
      }
    }
    this.shown.forEach((name, group) => {
      const [x, y] = this.at(group, this.low);
      if (this.lying) this.write(left - 8, y + 4, name, { "text-anchor": "end", fill: INK });
      else this.write(x, bottom + 18, name, { "text-anchor": "middle", fill: INK });
    });
    if (this.lying) this.write(right, bottom + 32, axis, { "text-anchor": "end" });
    else this.write(0, 0, axis, { transform: `translate(12 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" });
  }
}

function drawSamples(axes, expression, values) {
  const seen = new Map();
  const places = values.map((value, i) => {
    const group = expression.codes[i];
    const order = seen.get(group) ?? 0;
    seen.set(group, order + 1);
    const spread = expression.pairs ? 0 : ((order * 0.618034 + 0.25) % 1 - 0.5) * 0.36;
    return group < 0 || Number.isNaN(value) ? null : axes.at(group, value, spread);
  });
  if (expression.pairs) drawPairs(axes, expression, places);
  drawMeans(axes, expression, values);
  places.forEach((place, i) => {
    if (!place) return;
    const pair = expression.pairs ? `, ${expression.pairColumn} ${expression.pairNames[expression.pairs[i]] ?? MISSING}` : "";
    const words = `${expression.obs[i]}: ${formatNumber(values[i])}${pair}`;
    axes.svg.append(shape("circle", { cx: place[0], cy: place[1], r: 4, fill: expression.colours[expression.codes[i]], stroke: INK, "stroke-width": 0.7 }, shape("title", {}, words)));
  });
}

function drawPairs(axes, expression, places) {
  const members = new Map();
  places.forEach((place, i) => {
    if (!place || expression.pairs[i] < 0) return;
    if (!members.has(expression.pairs[i])) members.set(expression.pairs[i], []);
    members.get(expression.pairs[i]).push({ place, group: expression.codes[i] });
  });
  for (const group of members.values()) {
    group.sort((a, b) => a.group - b.group);
    for (let i = 1; i < group.length; i++) axes.line(group[i - 1].place, group[i].place, { stroke: "#999", "stroke-width": 1 });
  }
}

function drawMeans(axes, expression, values) {
  expression.groups.forEach((_, group) => {
    const own = values.filter((value, i) => expression.codes[i] === group && !Number.isNaN(value));
    if (own.length < 2 || expression.pairs) return;
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    axes.line(axes.at(group, mean, -0.26), axes.at(group, mean, 0.26), { "stroke-width": 1.4 });
  });
}

function drawSummaries(axes, expression, values) {
  expression.groups.forEach((name, group) => {
    const own = Object.fromEntries(SUMMARY.map((what, i) => [what, values[group * SUMMARY.length + i]]));
    if (Number.isNaN(own.q50)) return;
    const width = axes.lying ? 0.32 : Math.min(0.28, 26 / axes.band());
    const a = axes.at(group, own.q25, -width), b = axes.at(group, own.q75, width);
    const title = shape("title", {}, `${name}, ${expression.sizes[group].toLocaleString("en")} cells: median ${formatNumber(own.q50)}, quartiles ${formatNumber(own.q25)} and ${formatNumber(own.q75)}, mean ${formatNumber(own.mean)}${Number.isNaN(own.fraction) ? "" : `, ${formatFraction(own.fraction)} express it`}`);
    axes.line(axes.at(group, own.q05), axes.at(group, own.q95), { stroke: "#777" });
    axes.svg.append(shape("rect", { x: Math.min(a[0], b[0]), y: Math.min(a[1], b[1]), width: Math.max(Math.abs(a[0] - b[0]), 1), height: Math.max(Math.abs(a[1] - b[1]), 1), fill: expression.colours[group], "fill-opacity": 0.75, stroke: INK, "stroke-width": 0.7 }, title));
    axes.line(axes.at(group, own.q50, -width), axes.at(group, own.q50, width), { "stroke-width": 2 });
    axes.writeBeside(group, formatFraction(own.fraction));
    const middle = axes.at(group, own.mean);
    axes.svg.append(shape("circle", { cx: middle[0], cy: middle[1], r: 3, fill: "#fff", stroke: INK }));
  });
}

/* Values along a number, as an age or a dose. */
function scatterPlot(expression, values, width) {
  const pairs = values.map((y, i) => ({ x: expression.x[i], y, i })).filter(({ x, y }) => x !== null && !Number.isNaN(y));
  const [w, h] = [Math.min(width, 440), 250];
  const box = { left: 52, right: w - 10, top: 8, bottom: 204 };
  const svg = shape("svg", { width: w, height: h, viewBox: `0 0 ${w} ${h}`, role: "img", "font-size": 12 });
  const scaled = (numbers, from, to) => {
    const low = Math.min(...numbers), high = Math.max(...numbers), room = 0.06 * (high - low) || 0.5;
    const place = (value) => from + ((value - low + room) / (high - low + 2 * room)) * (to - from);
    return { place, ticks: ticksBetween(low - room, high + room) };
  };
  const x = scaled(pairs.map((pair) => pair.x), box.left, box.right);
  const y = scaled(pairs.map((pair) => pair.y), box.bottom, box.top);
  const write = (words, style) => svg.append(shape("text", { fill: FAINT, "text-anchor": "middle", ...style }, words));
  for (const { value, word } of y.ticks) {
    svg.append(shape("line", { x1: box.left, x2: box.right, y1: y.place(value), y2: y.place(value), stroke: LINE }));
    write(word, { x: box.left - 6, y: y.place(value) + 4, "text-anchor": "end" });
  }
  for (const { value, word } of x.ticks) write(word, { x: x.place(value), y: box.bottom + 18 });
  write(expression.xLabel, { x: (box.left + box.right) / 2, y: box.bottom + 38 });
  write(expression.axis, { transform: `translate(12 ${(box.top + box.bottom) / 2}) rotate(-90)` });
  for (const pair of pairs) {
    const words = `${expression.obs[pair.i]}: ${formatNumber(pair.y)} at ${formatNumber(pair.x)}`;
    const fill = expression.colours[expression.codes[pair.i]] ?? "#fff";
    svg.append(shape("circle", { cx: x.place(pair.x), cy: y.place(pair.y), r: 4, fill, stroke: INK, "stroke-width": 0.7 }, shape("title", {}, words)));
  }
  return svg;
}

function groupPlot(expression, values, drawn, width) {
  const axes = new GroupAxes(expression, drawn, width);
  (expression.kind === "quantiles" ? drawSummaries : drawSamples)(axes, expression, values);
  return axes.svg;
}

async function expressionOf(expression, gene) {
  const data = await load(expression.values);
  let place = gene;
  if (expression.genes !== null) place = (await load(expression.genes)).indexOf(gene);
  if (place < 0) return null;
  const n = expression.perGene;
  return Array.from(data.subarray(place * n, (place + 1) * n), (word) => (word === -2147483648 ? NaN : word * expression.step));
}

async function expressionPlot(result, gene, name, width) {
  const expression = result.expression;
  if (expression === null) return make("p", { class: "small" }, "Expression is not embedded in this report.");
  const values = await expressionOf(expression, gene);
  if (values === null) return make("p", { class: "small" }, "Expression not embedded for this gene (file size).");
  const summary = expression.kind === "quantiles";
  const drawn = summary ? values.filter((_, i) => i % SUMMARY.length > 0) : values;
  if (drawn.every(Number.isNaN)) return make("p", { class: "small" }, "This gene has no values.");
  const svg = expression.x ? scatterPlot(expression, values, width) : groupPlot(expression, values, drawn, width);
  svg.setAttribute("aria-label", `Expression of ${name} by ${expression.x ? expression.xLabel : expression.groupby || "observation"}`);
  const figure = make("figure", {});
  figure.append(svg, make("figcaption", {}, expression.caption));
  return figure;
}

/* What every test of the result says of a gene. */
async function geneStatistics(result, gene) {
  const lines = await Promise.all(result.tests.map(async (test) => {
    const row = test.rows === null ? gene : (await load(test.rows)).indexOf(gene);
    if (row < 0) return make("tr", {}, make("td", {}, test.name), make("td", { colspan: 3 }, "not in this report's table (file size)"));
    const data = await loadColumns(test.arrays);
    const said = (name, format) => (name in data ? format(data[name][row]) : MISSING);
    const status = "status" in data && data.status[row] > 0 ? meta.status[data.status[row]] : "";
    return make("tr", {}, make("td", {}, test.name), make("td", { class: "n" }, said("log2fc", formatNumber)),
      make("td", { class: "n" }, said("log10_pval", formatP)), make("td", { class: "n" }, said("log10_padj", formatP)), status ? make("td", {}, status) : "");
  }));
  const header = make("tr", {}, ...["test", "log2fc", "p", "adjusted p"].map((word, i) => make("th", { class: i ? "n" : null, scope: "col" }, word)));
  return make("div", { class: "wide" }, make("table", {}, make("thead", {}, header), make("tbody", {}, ...lines)));
}

async function genePanel(result, gene, name, width) {
  const parts = await Promise.all([expressionPlot(result, gene, name, width), geneStatistics(result, gene)]);
  return make("div", { class: "panel" }, ...parts);
}
