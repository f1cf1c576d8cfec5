// Stock: every product with its levels.
import { query as queryOf } from '../../shared/api.js';
import { count, element, money } from '../../shared/dom.js';
import { field } from '../../shared/forms.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { picture } from '../../shared/pictures.js';
import { empty, head, table } from '../parts.js';

const seconds = 4, few = 10, pageSize = 60;

export default async function showStock({ main, signal, query, title, go }) {
  title('Stock');
  const live = freshness();
  const search = element('input', { type: 'search', maxlength: 100, autocomplete: 'off', value: query.get('q') ?? '' });
  const form = element('form', { class: 'filters', role: 'search' }, Object.assign(field('q', 'Search by sku, name or description', search), { className: 'field wide' }), element('button', { class: 'button', type: 'submit' }, 'Find'));
  form.addEventListener('submit', event => {
    event.preventDefault();
    go(`/control/stock${search.value.trim() ? `?q=${encodeURIComponent(search.value.trim())}` : ''}`);
  });
  const list = table('Products', [
    { label: 'Product', of: item => element('a', { class: 'product', href: `/control/stock/${encodeURIComponent(item.sku)}` }, element('span', { class: 'thumb' }, picture(item.sku)), item.name) },
    { label: 'Sku', of: item => element('code', {}, item.sku) },
    { label: 'Price', kind: 'number', of: item => money(item.price) },
    { label: 'Available', kind: 'number', of: item => count(item.available) },
    { label: 'Reserved', kind: 'number', of: item => count(item.reserved) },
    { label: 'On hand', kind: 'number', of: item => count(item.onHand) },
    { label: 'Dispatched', kind: 'number', of: item => count(item.dispatched) },
    { label: 'Level', of: item => element('span', { class: 'status', 'data-status': item.available === 0 ? 'bad' : item.available < few ? 'warn' : 'ok' }, item.available === 0 ? 'sold out' : item.available < few ? 'few left' : 'in stock') },
  ], { key: item => item.sku, empty: empty(query.get('q') ? 'No product is like that.' : 'There is no product. A new shop has some; an operator makes others:', query.get('q') ? '' : 'PUT /api/ops/products/{sku}') });
  const next = element('a', { class: 'button more', hidden: true }, 'More');
  main.replaceChildren(head('Stock', live.node), form, element('section', { class: 'panel', 'aria-label': 'Products' }, list.node, next));

  await poll(async signal => {
    const page = await operations.catalog({ search: query.get('q'), after: query.get('after'), limit: pageSize }, signal);
    const levels = await Promise.all(page.items.map(item => operations.stock(item.sku, signal)));
    return { next: page.next, items: page.items.map((item, index) => ({ ...item, ...levels[index] })) };
  }, {
    signal, seconds, onProblem: live.isStale,
    onValue(page) {
      live.isTrue();
      list.show(page.items);
      next.hidden = !page.next;
      next.href = `/control/stock?${queryOf({ q: query.get('q'), after: page.next })}`;
    },
  });
}
