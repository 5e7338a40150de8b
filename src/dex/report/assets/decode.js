const meta = JSON.parse(document.getElementById("dex-meta").textContent);
const decoded = new Map();

function bytesOf(element) {
  const text = element.textContent;
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

async function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* Planes of bytes, the highest first, to words of 32 bits. */
function unplaned(bytes, planes) {
  const n = bytes.length / planes;
  const words = new Uint32Array(n);
  for (let plane = 0; plane < planes; plane++) {
    const shift = 24 - 8 * plane;
    const from = plane * n;
    for (let i = 0; i < n; i++) words[i] |= bytes[from + i] << shift;
  }
  return words;
}

async function decode(id) {
  const element = document.getElementById(id);
  const { kind, planes } = element.dataset;
  const bytes = await gunzip(bytesOf(element));
  if (kind === "text") return JSON.parse(new TextDecoder().decode(bytes));
  const words = unplaned(bytes, Number(planes));
  return kind === "float" ? new Float32Array(words.buffer) : new Int32Array(words.buffer);
}

/* An array of the page by its id, decoded when it is first asked for. */
function load(id) {
  if (!decoded.has(id)) decoded.set(id, decode(id));
  return decoded.get(id);
}

async function loadColumns(ids) {
  const arrays = await Promise.all(Object.values(ids).map(load));
  return Object.fromEntries(Object.keys(ids).map((name, i) => [name, arrays[i]]));
}
