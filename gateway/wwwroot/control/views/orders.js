// Orders: everybody's, by shopper, status and how long they have not moved; one by its id.
import * as api from '../../shared/api.js';
import { element, money, timeAgo } from '../../shared/dom.js';
import { field } from '../../shared/forms.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { choices, empty, head, orderLink, panel, table } from '../parts.js';

const seconds = 3, pageSize = 50;
const statuses = [['', 'any status'], ...['submitted', 'reserved', 'inReview', 'confirmed', 'fulfilled', 'cancelled'].map(status => [status, status === 'inReview' ? 'in review' : status])];
const ages = [['', 'moving or not'], ['PT1M', 'still for 1 min'], ['PT15M', '15 min'], ['PT1H', '1 h']];

/** What an order is at, as a badge. */
export const statusOf = status => element('span', { class: 'status', 'data-status': status }, statuses.find(([value]) => value === status)?.[1] ?? status);

export default async function showOrders({ main, signal, query, title, go }) {
  title('Orders');
  const live = freshness();
  const search = element('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', placeholder: 'id of an order, or a shopper', value: query.get('shopper') ?? '' });
  const form = element('form', { class: 'filters', role: 'search' },
    Object.assign(field('q', 'Order or shopper', search), { className: 'field wide' }), element('button', { class: 'button', type: 'submit' }, 'Find'));
  form.addEventListener('submit', event => {
    event.preventDefault();
    const text = search.value.trim();
    if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(text))
      return go(`/control/orders/${text.toLowerCase()}`);
    const filter = new URLSearchParams(query);
    filter.delete('after');
    text ? filter.set('shopper', text) : filter.delete('shopper');
    go(`/control/orders${filter.size > 0 ? `?${filter}` : ''}`);
  });
  const list = table('Orders', [
    { label: 'Order', of: order => orderLink(order.id) },
    { label: 'Status', of: order => statusOf(order.status) },
    { label: 'Shopper', of: order => element('a', { href: `/control/orders?${new URLSearchParams({ shopper: order.shopperId })}` }, order.shopperId) },
    { label: 'Total', kind: 'number', of: order => money(order.total) },
    { label: 'Submitted', of: order => timeAgo(order.submittedAt) },
    { label: 'Last moved', of: order => timeAgo(order.updatedAt) },
    { label: 'Reason', kind: 'wide', of: order => order.reason ?? '' },
  ], { key: order => order.id, empty: query.size > 0 ? empty('No order is like that.') : empty('Nobody has ordered yet. Order something in the store, or here:', 'dotnet aspire resource gateway place-order') });
  const next = element('a', { class: 'button more', hidden: true }, 'Older ones');
  const stuck = table('Orders that wait longer than they should', [
    { label: 'Order', of: order => orderLink(order.id) },
    { label: 'Status', of: order => statusOf(order.status) },
    { label: 'Shopper', of: order => order.shopperId },
    { label: 'Waits for', kind: 'wide', of: order => order.waitingFor.join(', ') },
    { label: 'Was due', of: order => timeAgo(order.deadline) },
    { label: 'Parked', of: order => order.deadLetterId ? element('a', { href: '/control/messages?service=orders#panel-dead-letters' }, 'behind a dead letter') : '' },
  ], { key: order => order.id, empty: element('p', { class: 'muted' }, 'None: every order moves as it should.') });
  main.replaceChildren(head('Orders', live.node), form,
    element('div', { class: 'filters' }, choices('Which orders', 'status', statuses, query), choices('Not moved for', 'olderThan', ages, query)),
    element('section', { class: 'panel', 'aria-label': 'Orders' }, list.node, next), panel('Stuck', stuck.node));

  const filter = Object.fromEntries(['status', 'shopper', 'olderThan', 'after'].map(name => [name, query.get(name)]));
  operations.stuckOrders({ limit: 20 }, signal).then(({ items }) => stuck.show(items), () => {});
  await poll(signal => operations.orders({ ...filter, limit: pageSize }, signal), {
    signal, seconds, onProblem: problem => showProblem(problem, live, list),
    onValue(page) {
      live.isTrue();
      list.show(page.items);
      next.hidden = !page.next;
      const older = new URLSearchParams(query);
      older.set('after', page.next ?? '');
      next.href = `/control/orders?${older}`;
    },
  });
}

function showProblem(problem, live, list) {
  if (problem instanceof api.Problem && problem.status === 400) {
    live.isStale(problem);
    list.show([]);
    list.node.append(element('p', { class: 'notice bad' }, Object.values(problem.errors).flat().join(' ') || problem.message));
    return;
  }
  live.isStale(problem);
}
