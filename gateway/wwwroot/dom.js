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
  node.append(...children.filter(child => child !== null && child !== false));
  return node;
}

/** An amount as people write it, such as €12.50. */
export function money({ amount, currency }) {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).format(amount);
}
