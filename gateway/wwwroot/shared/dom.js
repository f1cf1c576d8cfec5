const svgNamespace = 'http://www.w3.org/2000/svg';

/** Builds an element; texts become text nodes, so nothing that a service sends is ever read as HTML. */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false)
      continue;
    if (key.startsWith('on'))
      node.addEventListener(key.slice(2), value);
    else
      node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

/** An amount as people write it, such as €12.50. */
export function money({ amount, currency }) {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).format(amount);
}

const relativeFormat = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const units = [['day', 86_400], ['hour', 3_600], ['minute', 60]];

/** "5 minutes ago", with the exact time on hover. */
export function timeAgo(iso) {
  const at = new Date(iso);
  const seconds = (at - Date.now()) / 1000;
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  const text = Math.abs(seconds) < 10 ? 'just now' : relativeFormat.format(Math.round(seconds / size), unit);
  return element('time', { datetime: iso, title: at.toLocaleString() }, text);
}

/** "+121 ms", "+3.2 s", "+4 min". */
export function duration(milliseconds) {
  if (milliseconds < 1000)
    return `+${Math.round(milliseconds)} ms`;
  return milliseconds < 60_000 ? `+${(milliseconds / 1000).toFixed(1)} s` : `+${Math.round(milliseconds / 60_000)} min`;
}
