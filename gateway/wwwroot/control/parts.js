// What the control room's views are made of.
import { arrange, element, svg } from '../shared/dom.js';
import { nameOf, serviceOf } from '../shared/components/order-events.js';

/** An id, shortened in the middle; a click copies it. */
export function copyableId(id) {
  const button = element('button', { class: 'id', type: 'button', title: `${id}: click to copy` }, shortened(id));
  button.addEventListener('click', async () => {
    await navigator.clipboard?.writeText(id).catch(() => {});
    button.textContent = 'copied';
    setTimeout(() => button.textContent = shortened(id), 900);
  });
  return button;
}

/** "0199…2f9c02"; what people have named, such as a sku, stays as it is. */
export const shortened = id => /^[0-9a-f-]{15,}$/i.test(id) ? `${id.slice(0, 4)}…${id.slice(-6)}` : id;

/** A link to an order's page. */
export const orderLink = id => element('a', { class: 'id', href: `/control/orders/${encodeURIComponent(id)}`, title: id }, shortened(id));

/** A link to a trace in Aspire's dashboard; null where there is none to link to. */
export const traceLink = (dashboard, trace) => dashboard && trace
  ? element('a', { href: `${dashboard.replace(/\/$/, '')}/traces/detail/${trace}`, target: '_blank', rel: 'noopener' }, 'trace ↗') : null;

/** A service's name in its hue. */
export const serviceBadge = service => element('span', { class: 'service', 'data-service': service }, service);

/** "StockReserved", of "shop.reservations.stock-reserved.v1". */
export const eventName = type => nameOf(type).split('-').map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('');

/** The service that published an event of the feed. */
export const publisherOf = event => event.source?.split('/').at(-1) || serviceOf(event);

/** The page's head: its heading, a word about it and what can be done. */
export const head = (text, ...beside) => element('div', { class: 'head' }, element('h1', {}, text), ...beside);

/** A part of a page, with its heading. */
export function panel(text, ...children) {
  const id = `panel-${text.toLowerCase().replace(/[^a-z]+/g, '-')}`;
  return element('section', { class: 'panel', 'aria-labelledby': id }, element('h2', { id }, text), ...children);
}

/** What is shown in place of something that is not there, with what would bring it. */
export const empty = (text, command) => element('div', { class: 'empty' }, element('p', {}, text), command && element('code', {}, command));

/** Of the layout that is about to be there. */
export const skeleton = (lines = 6) => element('div', { class: 'skeletons', 'aria-hidden': 'true' }, ...Array.from({ length: lines }, () => element('div', { class: 'skeleton' }, ' ')));

/** A figure with its unit and what it means. */
export function figure(label, { unit = '', state, href } = {}) {
  const value = element('span', { class: 'figure-value number' }, '–');
  const chart = element('span', { class: 'figure-chart' });
  const node = element(href ? 'a' : 'div', { class: 'figure', href, 'data-state': state }, element('span', { class: 'figure-label' }, label),
    element('span', { class: 'figure-line' }, element('span', {}, value, unit && element('span', { class: 'figure-unit' }, unit)), chart));
  return {
    node,
    chart,
    show(text, state) {
      if (value.textContent !== text)
        value.textContent = text;
      state ? node.dataset.state = state : delete node.dataset.state;
    },
  };
}

/**
 * A table of rows that come again and again: those that look as before stay as they are. A column is `{label, of(row), kind}`, its kind `number`, `wide` or `line` (which is not broken);
 * on a phone each row is a card, whose lines have the columns' labels.
 */
export function table(caption, columns, { key, empty: whenEmpty, rowOf }) {
  const body = element('tbody');
  const none = element('div', {});
  const all = element('table', { class: 'table' }, element('caption', { class: 'visually-hidden' }, caption),
    element('thead', {}, element('tr', {}, ...columns.map(({ label, kind }) => element('th', { scope: 'col', 'data-kind': kind }, label)))), body);
  const node = element('div', { class: 'table-box', 'aria-busy': 'true' }, all, none);
  const kept = new Map();
  none.append(skeleton());
  all.hidden = true;
  return {
    node,
    show(rows) {
      node.removeAttribute('aria-busy');
      const seen = new Set();
      const items = rows.map(row => {
        const id = key(row), looks = JSON.stringify(row);
        seen.add(id);
        if (kept.get(id)?.looks !== looks)
          kept.set(id, { looks, item: element('tr', rowOf?.(row) ?? {}, ...columns.map(({ label, of, kind }) => element('td', { 'data-label': label, 'data-kind': kind }, ...[of(row)].flat().filter(part => part !== null && part !== undefined && part !== false)))) });
        return kept.get(id).item;
      });
      for (const id of kept.keys()) {
        if (!seen.has(id))
          kept.delete(id);
      }
      arrange(body, items);
      all.hidden = rows.length === 0;
      none.replaceChildren(...rows.length === 0 ? [whenEmpty] : []);
    },
  };
}

/** A row of links that choose one of some values of the address's `name`. */
export function choices(label, name, values, query) {
  const chosen = query.get(name) ?? '';
  return element('nav', { class: 'choices', 'aria-label': label }, ...values.map(([value, text]) => {
    const others = new URLSearchParams(query);
    others.delete('after');
    value ? others.set(name, value) : others.delete(name);
    return element('a', { href: `${location.pathname}${others.size > 0 ? `?${others}` : ''}`, 'aria-current': value === chosen ? 'true' : null }, text);
  }));
}

/** Values as a small line, as wide as there is room, without a word: the figure beside it says what it is. */
export function sparkline(values) {
  const width = 72, height = 22, most = Math.max(1, ...values);
  const at = (value, index) => `${(index * width / Math.max(1, values.length - 1)).toFixed(1)},${(height - 2 - value / most * (height - 4)).toFixed(1)}`;
  return svg('svg', { class: 'sparkline', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('polyline', { points: values.map(at).join(' '), fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5, 'stroke-linejoin': 'round', 'vector-effect': 'non-scaling-stroke' }));
}
