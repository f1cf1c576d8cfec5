const svgNamespace = 'http://www.w3.org/2000/svg';

/** Builds an element; texts become text nodes, so nothing that a service sends is ever read as HTML. */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, name), attributes, children);
}

/** Has exactly these children, in this order. Those that stay are not touched: they keep the focus, and are not seen to appear again. */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) {
    if (!wanted.has(child))
      child.remove();
  }
  children.forEach((child, index) => {
    if (parent.children[index] !== child)
      parent.insertBefore(child, parent.children[index] ?? null);
  });
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

/** A button that shows more by `load`, one time at a time; what fails is said on it, and can be tried again. */
export function moreButton(label, load) {
  let isLoading = false;
  const button = element('button', { class: 'button more', type: 'button', hidden: true, onclick: async () => {
    if (isLoading)
      return;
    isLoading = true;
    // disabled, it would lose the focus
    button.setAttribute('aria-disabled', 'true');
    try {
      await load();
      button.textContent = label;
    } catch (problem) {
      button.textContent = `${problem.message} Try again`;
    }
    button.removeAttribute('aria-disabled');
    isLoading = false;
  } }, label);
  return button;
}

/** An amount as people write it, such as €12.50. */
export function money({ amount, currency }) {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).format(amount);
}

/** The same without cents, where there is little room for an amount that may be large. */
export function roundMoney({ amount, currency }) {
  return new Intl.NumberFormat('en', { style: 'currency', currency, maximumFractionDigits: 0 }).format(amount);
}

const relativeFormat = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const units = [['day', 86_400], ['hour', 3_600], ['minute', 60]];

/** "5 minutes ago", with the exact time on hover. */
export const timeAgo = iso => element('time', { datetime: iso, title: new Date(iso).toLocaleString(), 'data-ago': true }, ago(iso));

/** Brings what `timeAgo` has written below a node up to now. */
export function refreshTimes(root) {
  for (const time of root.querySelectorAll('time[data-ago]')) {
    const text = ago(time.dateTime);
    if (time.textContent !== text)
      time.textContent = text;
  }
}

function ago(iso) {
  const seconds = (new Date(iso) - Date.now()) / 1000;
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return Math.abs(seconds) < 10 ? 'just now' : relativeFormat.format(Math.round(seconds / size), unit);
}

/** "+121 ms", "+3.2 s", "+4 min". */
export function duration(milliseconds) {
  if (milliseconds < 1000)
    return `+${Math.round(milliseconds)} ms`;
  return milliseconds < 60_000 ? `+${(milliseconds / 1000).toFixed(1)} s` : `+${Math.round(milliseconds / 60_000)} min`;
}

const wholes = new Intl.NumberFormat('en'), parts = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** "12,345", and a dash for what is not known. */
export const count = number => number === null || number === undefined ? '–' : (Number.isInteger(number) ? wholes : parts).format(number);

/** "10:14:03.120", with the whole time on hover. */
export function clock(iso) {
  const at = new Date(iso);
  return element('time', { datetime: iso, title: at.toLocaleString() }, `${at.toLocaleTimeString('en-GB')}.${String(at.getMilliseconds()).padStart(3, '0')}`);
}
