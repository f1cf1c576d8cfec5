// One order, as it moves.
import * as api from '../../shared/api.js';
import '../../shared/components/order-events.js';
import '../../shared/components/order-steps.js';
import { duration, element, money, timeAgo } from '../../shared/dom.js';
import { nameOf } from '../../shared/components/order-events.js';
import { framedPicture } from '../../shared/pictures.js';
import { follow } from '../../shared/streams.js';
import { requireSession } from '../../shared/session.js';
import { statusOf } from './orders.js';

const pollSeconds = .3, quietSecondsAfterEnd = 3;
const cancellable = ['submitted', 'reserved', 'inReview'];
const inReviewText = 'This payment is looked at by a person before it goes through, which may take until tomorrow. The goods are kept for you meanwhile.';

export async function showOrder({ main, signal, parameter: id, title, announce }) {
  title('Order');
  await requireSession();
  main.replaceChildren(element('div', { class: 'order', 'aria-hidden': 'true' }, element('div', { class: 'panel tall skeleton' }, ' '), element('div', { class: 'panel skeleton' }, ' ')));
  let order = /^[0-9a-f-]{36}$/i.test(id) ? await api.order(id, signal) : null;
  if (order === null) {
    title('No such order');
    main.replaceChildren(element('div', { class: 'state' }, element('h1', {}, 'There is no such order of yours'), element('a', { class: 'button', href: '/orders' }, 'Your orders')));
    return;
  }

  const live = element('span', { class: 'live' });
  const status = element('span', {});
  const message = element('div', {});
  const steps = element('order-steps');
  const events = element('order-events');
  const cancel = element('button', { class: 'button danger', type: 'button' }, 'Cancel the order');
  const lines = element('ul', { class: 'lines' });
  const names = new Map(order.lines.map(line => [line.sku, line.sku]));
  main.replaceChildren(
    element('div', { class: 'order-head' }, element('a', { class: 'small', href: '/orders' }, '← All orders'),
      element('h1', {}, 'Order ', status), element('p', { class: 'small muted' }, 'Submitted ', timeAgo(order.submittedAt), ' · ', element('code', { title: order.id }, order.id))),
    element('div', { class: 'order' },
      element('section', { class: 'panel', 'aria-labelledby': 'steps-title' }, element('div', { class: 'panel-head' }, element('h2', { id: 'steps-title' }, 'Steps'), live), message, steps,
        element('details', { class: 'more-events', open: location.hash.startsWith('#event-') }, element('summary', {}, 'Every event behind them'), events)),
      element('section', { class: 'panel', 'aria-labelledby': 'what-title' }, element('h2', { id: 'what-title' }, 'What you ordered'), lines,
        element('p', { class: 'sum number' }, `Total ${money(order.total)}`),
        element('h3', {}, 'Goes to'), element('address', { class: 'muted' }, ...addressLines(order.shipTo)), cancel)));

  let seen = [];
  const shortages = () => seen.find(event => nameOf(event.type) === 'stock-rejected')?.data.shortages ?? [];
  const show = () => {
    status.replaceChildren(statusOf(order.status));
    cancel.hidden = !cancellable.includes(order.status);
    message.replaceChildren(...messageOf(order));
    lines.replaceChildren(...order.lines.map(line => lineOf(line, names.get(line.sku), shortages().find(shortage => shortage.sku === line.sku))));
  };
  show();
  for (const sku of names.keys())
    api.product(sku, signal).then(product => { names.set(sku, product?.name ?? sku); show(); }).catch(() => {});
  cancel.addEventListener('click', async () => {
    cancel.disabled = true;
    try {
      await api.cancelOrder(id);
      announce('The cancellation was asked for');
    } catch (problem) {
      cancel.disabled = false;
      message.replaceChildren(element('p', { class: 'notice bad', role: 'alert' }, problem.message));
    }
  });
  steps.addEventListener('click', event => event.target.closest('a') && openEvent(event.target.closest('a').hash, main));

  const showEvents = news => {
    seen = news;
    steps.events = seen;
    events.show(seen);
  };
  const say = (state, text) => {
    live.dataset.state = state;
    live.textContent = text;
  };
  showEvents([]);
  const stream = follow((last, until) => api.orderStream(id, last, until), {
    signal,
    onOpen: () => say('live', 'live'),
    onCut: () => say('cut', 'reconnecting…'),
    onEvent: change => {
      if (signal.aborted)
        return;
      showEvents([...seen, change]);
      if (change.status !== order.status) {
        order = { ...order, status: change.status, reason: change.data.reason ?? null };
        announce(`The order is ${statusOf(order.status).textContent}`);
      }
      show();
    },
  });
  await stream;
  if (signal.aborted)
    return;
  say('ended', seen.length > 0 ? `after ${duration(Date.parse(seen.at(-1).at) - Date.parse(seen[0].at)).slice(1)}` : '');
  order = await api.order(id, signal) ?? order;
  show();
  await showConsequences(id, signal, showEvents, () => seen);
  openEvent(location.hash, main);
}

/** The stream ends with the order; what that causes (stock given back, a payment released) is in the timeline, a moment later. */
async function showConsequences(id, signal, showEvents, seen) {
  for (let quiet = 0; quiet < quietSecondsAfterEnd; quiet += pollSeconds) {
    const events = await api.timeline(id, signal).catch(() => []);
    if (signal.aborted)
      return;
    if (events.length > seen().length) {
      showEvents(events);
      quiet = 0;
    }
    await api.pause(pollSeconds, signal).catch(() => {});
  }
}

function openEvent(hash, main) {
  const event = hash.startsWith('#event-') ? document.getElementById(hash.slice(1)) : null;
  if (!event)
    return;
  main.querySelector('.more-events').open = true;
  event.querySelector('details').open = true;
  event.scrollIntoView({ block: 'nearest' });
}

function messageOf(order) {
  if (order.status === 'inReview')
    return [element('p', { class: 'notice warn' }, inReviewText)];
  if (order.status === 'cancelled')
    return [element('p', { class: 'notice bad' }, reasonOf(order.reason), ' You pay nothing.')];
  return order.reason ? [element('p', { class: 'notice warn' }, order.reason)] : [];
}

function reasonOf(reason) {
  if (!reason)
    return 'The order was cancelled.';
  return `${reason.replace('Cancelled by the shopper', 'You cancelled it').replace('card_declined', 'the bank refused the card').replaceAll('_', ' ')}.`;
}

function lineOf({ sku, quantity, unitPrice }, name, shortage) {
  return element('li', { class: 'line' }, framedPicture(sku),
    element('div', { class: 'line-text' }, element('a', { class: 'line-name', href: `/products/${encodeURIComponent(sku)}` }, name),
      element('p', { class: 'small muted number' }, `${quantity} × ${money(unitPrice)}`),
      shortage ? element('p', { class: 'field-error' }, shortage.available > 0 ? `Only ${shortage.available} were left.` : 'Was sold out.') : null),
    element('p', { class: 'line-price number' }, money({ ...unitPrice, amount: Math.round(unitPrice.amount * 100) * quantity / 100 })));
}

function addressLines({ name, street, postalCode, city, country }) {
  return [name, street, `${postalCode} ${city}`, new Intl.DisplayNames('en', { type: 'region' }).of(country)].map(text => element('span', {}, text));
}
