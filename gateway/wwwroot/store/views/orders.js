// One's own orders, newest first.
import * as api from '../../shared/api.js';
import { element, money, moreButton, timeAgo } from '../../shared/dom.js';
import { framedPicture } from '../../shared/pictures.js';
import { requireSession } from '../../shared/session.js';

const mostPictures = 4;
const names = { submitted: 'submitted', reserved: 'being paid', inReview: 'in review', confirmed: 'on its way', fulfilled: 'fulfilled', cancelled: 'cancelled' };

/** What an order is at, as a badge. */
export const statusOf = status => element('span', { class: 'status', 'data-status': status }, names[status] ?? status);

export async function showOrders({ main, signal, query, title }) {
  title('Your orders');
  await requireSession();
  const status = query.get('status') ?? '';
  const list = element('ul', { class: 'order-list' });
  const more = moreButton('Show more', () => load());
  const filters = element('nav', { class: 'filters', 'aria-label': 'Which orders' }, ...['', ...Object.keys(names)].map(one =>
    element('a', { href: one ? `/orders?status=${one}` : '/orders', 'aria-current': one === status ? 'true' : null }, one ? names[one] : 'all')));
  const head = [element('h1', {}, 'Your orders'), filters];
  main.replaceChildren(element('div', { class: 'narrow' }, ...head, element('ul', { class: 'order-list', 'aria-hidden': 'true' }, ...Array.from({ length: 4 }, () => element('li', { class: 'order-row skeleton' }, ' ')))));

  let after = '';
  const load = async () => {
    const page = await api.orders(status, after, signal);
    list.append(...page.items.map(row));
    after = page.next;
    more.hidden = !after;
  };
  await load();
  if (signal.aborted)
    return;
  main.replaceChildren(element('div', { class: 'narrow' }, ...head, list.children.length > 0 ? list
    : element('div', { class: 'state' }, element('h2', {}, status ? `None is ${names[status] ?? status}` : 'You have not ordered yet'), element('a', { class: 'button primary', href: '/' }, 'See what there is')), more));
}

function row(order) {
  const pieces = order.lines.reduce((sum, line) => sum + line.quantity, 0);
  return element('li', {}, element('a', { class: 'order-row', href: `/orders/${order.id}` },
    element('span', { class: 'order-pictures' }, ...order.lines.slice(0, mostPictures).map(line => framedPicture(line.sku))),
    element('span', { class: 'order-what' }, element('strong', { class: 'number' }, money(order.total)),
      element('span', { class: 'small muted' }, `${pieces} ${pieces === 1 ? 'piece' : 'pieces'} · `, timeAgo(order.submittedAt))),
    statusOf(order.status)));
}
