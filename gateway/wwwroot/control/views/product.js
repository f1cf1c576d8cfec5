// One product: its levels, its ledger, and what an operator books.
import * as api from '../../shared/api.js';
import { count, element, money, timeAgo } from '../../shared/dom.js';
import { clearProblem, field, showProblem } from '../../shared/forms.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { picture } from '../../shared/pictures.js';
import { empty, figure, head, orderLink, panel, skeleton, table } from '../parts.js';

const seconds = 2, newest = 50, pageSize = 1000;

export default async function showProduct({ main, signal, parameter: sku, title }) {
  title(sku);
  main.replaceChildren(head(sku), skeleton(8));
  const product = await api.product(sku, signal);
  if (product === null) {
    main.replaceChildren(head(sku), element('div', { class: 'state' }, element('h2', {}, 'There is no such product'), element('a', { class: 'button', href: '/control/stock' }, 'To the stock')));
    return;
  }
  const live = freshness();
  const figures = { available: figure('Available'), reserved: figure('Reserved by orders'), onHand: figure('On hand'), dispatched: figure('Dispatched ever') };
  const ledger = table('Movements', [
    { label: 'At', of: item => timeAgo(item.at) },
    { label: 'Cause', kind: 'line', of: item => item.cause === 'order' ? ofOrder(item) : item.cause },
    { label: 'On hand', kind: 'number', of: item => signed(item.onHand) },
    { label: 'Reserved', kind: 'number', of: item => signed(item.reserved) },
    { label: 'Dispatched', kind: 'number', of: item => signed(item.dispatched) },
    { label: 'For', of: item => /^[0-9a-f]{8}-/.test(item.reference ?? '') && item.cause === 'order' ? orderLink(item.reference) : '' },
    { label: 'Reason', kind: 'wide', of: item => item.reason ?? '' },
  ], { key: item => item.id, empty: empty('Nothing has moved yet.') });
  const earlier = element('p', { class: 'small muted', hidden: true });
  main.replaceChildren(
    element('div', { class: 'head' }, element('span', { class: 'thumb big' }, picture(sku)), element('h1', {}, product.name), element('code', {}, sku), element('span', { class: 'muted number' }, money(product.price)), live.node,
      element('a', { class: 'push', href: `/products/${encodeURIComponent(sku)}` }, 'In the store')),
    element('div', { class: 'figures' }, ...Object.values(figures).map(({ node }) => node)),
    element('div', { class: 'side' }, panel('Ledger', ledger.node, earlier),
      element('div', { class: 'fields' },
        panel('Stock-taking', form([['onHand', 'Pieces counted, reserved ones included', element('input', { type: 'number', min: 0, step: 1, required: true, inputmode: 'numeric' })],
          ['reason', 'Reason', element('input', { maxlength: 200, required: true, value: 'stock-taking' })]], 'Correct', (values, key) => operations.correct(sku, { onHand: Number(values.onHand), reason: values.reason }, key))),
        panel('Goods received', form([['quantity', 'Pieces', element('input', { type: 'number', min: 1, step: 1, required: true, inputmode: 'numeric' })]], 'Receive',
          (values, key) => operations.receive(sku, { quantity: Number(values.quantity) }, key))))));

  let known = [], last = 0;
  await poll(async signal => {
    const levels = operations.stock(sku, signal);
    // the ledger is read from its begin, once, and then what is new of it
    for (let next = last; next !== null;) {
      const page = await operations.movements(sku, { after: next, limit: pageSize }, signal);
      known.push(...page.items);
      last = page.items.at(-1)?.id ?? last;
      next = page.next;
    }
    return await levels;
  }, {
    signal, seconds, onProblem: live.isStale,
    onValue(levels) {
      live.isTrue();
      for (const [name, figure] of Object.entries(figures))
        figure.show(count(levels[name]), name === 'available' && levels.available === 0 ? 'bad' : '');
      ledger.show(known.slice(-newest).reverse());
      earlier.hidden = known.length <= newest;
      earlier.textContent = `The newest ${newest} of ${count(known.length)}.`;
    },
  });
}

/** What an order did, which the ledger tells by its numbers. */
const ofOrder = ({ reserved, dispatched }) => dispatched > 0 ? 'order dispatched' : reserved > 0 ? 'order reserved' : 'order gave back';

const signed = number => number === 0 ? '' : number > 0 ? `+${count(number)}` : `−${count(-number)}`;

/** A form that books something once, however often it is sent: the key changes with what is sent. */
function form(inputs, label, book) {
  const problem = element('p', { class: 'notice bad', role: 'alert', 'data-problem': true, hidden: true, tabindex: -1 });
  const done = element('p', { class: 'notice good', role: 'status', hidden: true });
  const button = element('button', { class: 'button', type: 'submit' }, label);
  const node = element('form', { class: 'fields', novalidate: true }, problem, ...inputs.map(([name, text, input]) => field(name, text, input)), button, done);
  let key = crypto.randomUUID();
  node.addEventListener('input', () => key = crypto.randomUUID());
  node.addEventListener('submit', async event => {
    event.preventDefault();
    clearProblem(node);
    done.hidden = true;
    button.disabled = true;
    try {
      const level = await book(Object.fromEntries(new FormData(node)), key);
      key = crypto.randomUUID();
      done.textContent = `Booked: ${count(level.onHand)} on hand, ${count(level.available)} available.`;
      done.hidden = false;
    } catch (failure) {
      showProblem(node, failure);
    }
    button.disabled = false;
  });
  return node;
}
