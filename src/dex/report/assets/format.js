function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const MISSING = "–";

/* A p-value from its log10, right also where the p-value itself is 0 in double precision. */
function formatP(log10) {
  if (Number.isNaN(log10)) return MISSING;
  if (log10 === -Infinity) return "0";
  if (log10 > -3) return Math.pow(10, log10).toPrecision(2);
  let exponent = Math.floor(log10);
  if (log10 < -100) return `1e${Math.round(log10)}`;
  let digits = Math.pow(10, log10 - exponent).toFixed(1);
  if (digits === "10.0") { digits = "1.0"; exponent += 1; }
  return `${digits}e${exponent}`;
}

function formatNumber(value) {
  if (Number.isNaN(value)) return MISSING;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return value.toExponential(1).replace("-", "−").replace("e+", "e");
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 0.1 || size === 0 ? 2 : 3;
  return value.toFixed(digits).replace("-", "−");
}

function formatFraction(value) {
  return Number.isNaN(value) ? "" : `${(100 * value).toFixed(0)} %`;
}

function formatCell(column, value) {
  if (column.kind === "p") return formatP(value);
  if (column.kind === "fraction") return formatFraction(value) || MISSING;
  if (column.kind === "status") return value === 0 ? "" : meta.status[value] ?? MISSING;
  return formatNumber(value);
}

/* As many digits as are embedded; p-values keep their log10 beside them. */
function csvCell(column, value) {
  if (column.kind === "status") return meta.status[value] ?? "";
  if (Number.isNaN(value)) return "";
  if (column.kind === "p") return csvP(value);
  return String(Number(value.toPrecision(meta.digits)));
}

function csvP(log10) {
  const exponent = Math.floor(log10);
  if (!Number.isFinite(exponent)) return "0";
  return `${Number(Math.pow(10, log10 - exponent).toPrecision(meta.digits - 1))}e${exponent}`;
}

/* Text that a spreadsheet would run as a formula gets a quote before it. */
function csvText(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function saveText(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
