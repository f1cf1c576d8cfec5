// One product: its levels, its ledger, and what an operator books.
import * as api from '../../shared/api.js';
import { count, element, money, moreButton, timeAgo } from '../../shared/dom.js';
import { clearProblem, field, showProblem } from '../../shared/forms.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { picture } from '../../shared/pictures.js';
import { empty, figure, head, orderLink, panel, skeleton, table } from '../parts.js';

const seconds = 2, newest = 50, pageSize = 1000, mostPages = 5;

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
  const more = moreButton('Read on', () => readOn());
  main.replaceChildren(
    element('div', { class: 'head' }, element('span', { class: 'thumb big' }, picture(sku)), element('h1', {}, product.name), element('code', {}, sku), element('span', { class: 'muted number' }, money(product.price)), live.node,
      element('a', { class: 'push', href: `/products/${encodeURIComponent(sku)}` }, 'In the store')),
    element('div', { class: 'figures' }, ...Object.values(figures).map(({ node }) => node)),
    element('div', { class: 'side' }, panel('Ledger', ledger.node, earlier, more),
      element('div', { class: 'fields' },
        panel('Stock-taking', form([['onHand', 'Pieces counted, reserved ones included', element('input', { type: 'number', min: 0, step: 1, required: true, inputmode: 'numeric' })],
          ['reason', 'Reason', element('input', { maxlength: 200, required: true, value: 'stock-taking' })]], 'Correct', (values, key) => operations.correct(sku, { onHand: Number(values.onHand), reason: values.reason }, key))),
        panel('Goods received', form([['quantity', 'Pieces', element('input', { type: 'number', min: 1, step: 1, required: true, inputmode: 'numeric' })]], 'Receive',
          (values, key) => operations.receive(sku, { quantity: Number(values.quantity) }, key))))));

  // the ledger is read from its begin, some pages at a time, and once all of it is known what is new of it
  let known = [], read = 0, last = 0, isCut = false, reading = null;
  const readOn = () => reading ??= readPages().finally(() => reading = null);
  const readPages = async () => {
    isCut = false;
    for (let pages = 1, next = last; next !== null; pages++) {
      const page = await operations.movements(sku, { after: next, limit: pageSize }, signal);
      if (signal.aborted)
        return;
      known = [...known, ...page.items].slice(-newest);
      read += page.items.length;
      last = page.items.at(-1)?.id ?? last;
      isCut = page.next !== null && pages === mostPages;
      next = isCut ? null : page.next;
      ledger.show([...known].reverse());
      more.hidden = !isCut;
      earlier.hidden = page.next === null && read <= newest;
      earlier.textContent = page.next === null ? `The newest ${newest} of ${count(read)}.` : `The last ${known.length} of the first ${count(read)}: later ones are not read yet.`;
    }
  };
  poll(() => isCut ? null : readOn(), { signal, seconds, onValue() {}, onProblem() {} }).catch(() => {});
  await poll(signal => operations.stock(sku, signal), {
    signal, seconds, onProblem: live.isStale,
    onValue(levels) {
      live.isTrue();
      for (const [name, figure] of Object.entries(figures))
        figure.show(count(levels[name]), name === 'available' && levels.available === 0 ? 'bad' : '');
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
  let key = api.newKey();
  node.addEventListener('input', () => key = api.newKey());
  node.addEventListener('submit', async event => {
    event.preventDefault();
    clearProblem(node);
    done.hidden = true;
    button.disabled = true;
    try {
      const level = await book(Object.fromEntries(new FormData(node)), key);
      key = api.newKey();
      done.textContent = `Booked: ${count(level.onHand)} on hand, ${count(level.available)} available.`;
      done.hidden = false;
    } catch (failure) {
      showProblem(node, failure);
    }
    button.disabled = false;
  });
  return node;
}
