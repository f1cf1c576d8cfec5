// One order: a sequence drawn over the services, each event where it was published and by what it was caused.
import { timeline as orderHistory } from '../../shared/api.js';
import { clock, element, money, timeAgo } from '../../shared/dom.js';
import { nameOf } from '../../shared/components/order-events.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { watchFlow } from '../flow.js';
import { copyableId, empty, eventName, head, panel, publisherOf, serviceBadge, skeleton, traceLink } from '../parts.js';
import { sequence } from '../sequence.js';
import { statusOf } from './orders.js';

const seconds = 1.5, ended = new Set(['fulfilled', 'cancelled']);

export default async function showOrder({ main, signal, parameter: id, query, title, announce }) {
  title(`Order ${id.slice(0, 8)}`);
  main.replaceChildren(head('Order'), skeleton(10));
  const isId = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(id);
  let events = [], dashboard = null, isThere = false;
  const live = freshness();
  const status = element('span', {});
  const facts = element('dl', { class: 'facts' });
  const chosenBox = element('div', {}, element('p', { class: 'muted' }, 'Choose an event to see what it says.'));
  const picture = element('div', { class: 'sequence-box', tabindex: 0, role: 'region', 'aria-label': 'Sequence of the order' });
  const repair = element('button', { class: 'button', type: 'button', title: 'Has the order say again what it has said, so that the others answer again' }, 'Repair');
  const message = element('div', {});
  let chosen = query.get('event');
  repair.addEventListener('click', async () => {
    repair.disabled = true;
    try {
      const { published } = await operations.repair(id);
      message.replaceChildren(element('p', { class: 'notice good' }, `Asked: it says again ${published.map(eventName).join(', ')}.`));
    } catch (problem) {
      message.replaceChildren(element('p', { class: 'notice warn' }, problem.message));
    }
    repair.disabled = false;
  });
  const choose = event => {
    chosen = event.id;
    history.replaceState(null, '', `${location.pathname}?event=${event.id}`);
    show();
    announce(`${eventName(event.type)} is shown`);
  };
  const show = () => {
    const focused = document.activeElement?.dataset?.event;
    picture.replaceChildren(events.length > 0 ? sequence(events, chosen, choose) : empty('No event of it has been seen yet.'));
    if (focused)
      picture.querySelector(`[data-event="${focused}"]`)?.focus();
    const event = events.find(one => one.id === chosen);
    if (event)
      chosenBox.replaceChildren(...detailOf(event, events.find(one => one.id === event.causationId), dashboard));
  };
  const showFacts = () => {
    status.replaceChildren(statusOf(statusAfter(events)));
    const order = dataOf(events, 'order-submitted'), reason = dataOf(events, 'order-cancelled')?.reason;
    facts.replaceChildren(...[
      ['Id', copyableId(id)],
      ...order ? [['Shopper', element('a', { href: `/control/orders?shopper=${encodeURIComponent(order.shopperId)}` }, order.shopperId)], ['Total', money(order.total)],
        ['Lines', order.lines.map(({ quantity, sku }) => `${quantity} × ${sku}`).join(', ')], ['Submitted', timeAgo(events[0].at)]] : [],
      ...reason ? [['Reason', reason]] : [],
      ...events.length > 1 ? [['Took', `${Date.parse(events.at(-1).at) - Date.parse(events[0].at)} ms, ${events.length} events`]] : [],
      ['Elsewhere', [element('a', { href: `/control/logs?order=${id}` }, 'logs'), ' ', traceLink(dashboard, events.find(({ trace }) => trace)?.trace)].filter(Boolean)],
    ].flatMap(([label, value]) => [element('dt', {}, label), element('dd', { class: 'number' }, ...[value].flat())]));
  };

  watchFlow(({ flow }) => {
    if (!flow || flow.dashboard === dashboard)
      return;
    ({ dashboard } = flow);
    if (isThere) {
      show();
      showFacts();
    }
  }, signal);
  await poll(async signal => isId ? await allEvents(id, signal) : [], {
    signal, seconds, onProblem: problem => isThere ? live.isStale(problem) : main.replaceChildren(head('Order'), element('p', { class: 'notice bad' }, problem.message, ' Trying again…')),
    onValue(value) {
      if (value.length === 0) {
        main.replaceChildren(head('Order'), element('div', { class: 'state' }, element('h2', {}, 'There is no such order'), element('a', { class: 'button', href: '/control/orders' }, 'To the orders')));
        isThere = false;
        return;
      }
      const hasChanged = !isThere || value.length !== events.length;
      events = value;
      live.isTrue();
      if (!isThere) {
        main.replaceChildren(element('div', { class: 'head' }, element('h1', {}, 'Order ', element('code', {}, `${id.slice(0, 8)}…`)), status, live.node, element('span', { class: 'push' }), repair), message,
          element('div', { class: 'side' }, panel('Sequence', picture), element('div', { class: 'fields' }, panel('What it is', facts), panel('Event', chosenBox))));
        isThere = true;
      }
      repair.hidden = ended.has(statusAfter(events));
      if (hasChanged) {
        show();
        showFacts();
      }
    },
  });
}

const dataOf = (events, name) => events.find(({ type }) => nameOf(type) === name)?.data;

/** What an order is at, by its events so far. */
function statusAfter(events) {
  const names = new Set(events.map(({ type }) => nameOf(type)));
  return names.has('order-cancelled') ? 'cancelled' : names.has('order-fulfilled') ? 'fulfilled' : names.has('order-confirmed') ? 'confirmed'
    : names.has('payment-held') && !names.has('payment-authorized') ? 'inReview' : names.has('stock-reserved') ? 'reserved' : 'submitted';
}

/** All of them, page by page, in the order of the order's own history; what that does not have (yet) comes behind, by its time. */
async function allEvents(order, signal) {
  const events = [];
  for (let after = ''; after !== null;) {
    const page = await operations.timeline({ order, after, limit: 100 }, signal);
    events.push(...page.items);
    after = page.next ?? null;
  }
  const history = events.length > 0 ? await orderHistory(order, signal) : [];
  const places = new Map(history.map(({ id }, place) => [id, place]));
  const placeOf = ({ id }) => places.get(id) ?? history.length;
  return events.sort((a, b) => placeOf(a) - placeOf(b) || Date.parse(a.at) - Date.parse(b.at) || (a.id < b.id ? -1 : 1));
}

function detailOf(event, cause, dashboard) {
  return [
    element('div', { class: 'actions' }, element('strong', {}, eventName(event.type)), serviceBadge(publisherOf(event))),
    element('dl', { class: 'facts' }, ...[
      ['At', clock(event.at)], ['Topic', event.topic], ['Partition', String(event.partition)], ['Offset', String(event.offset)], ['Key', copyableId(event.key)], ['Event', copyableId(event.id)],
      ['Caused by', cause ? `${eventName(cause.type)}, ${Math.max(0, Date.parse(event.at) - Date.parse(cause.at))} ms before` : event.causationId ? copyableId(event.causationId) : 'a request'],
      ['Type', element('code', {}, event.type)],
      ...traceLink(dashboard, event.trace) ? [['Trace', traceLink(dashboard, event.trace)]] : [],
    ].flatMap(([label, value]) => [element('dt', {}, label), element('dd', { class: 'number' }, value)])),
    element('pre', { tabindex: 0, 'aria-label': 'Data of the event' }, JSON.stringify(event.data, null, 2)),
  ];
}
