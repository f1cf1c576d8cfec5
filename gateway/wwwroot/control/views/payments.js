// Payments: those that wait for an operator, the rules, others tried out on the past, and the comparison with the provider's ledger.
import { count, element, money, timeAgo } from '../../shared/dom.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { copyableId, empty, head, orderLink, panel, skeleton } from '../parts.js';
import { statusOf } from './orders.js';
import { reconciliationPanel, replayPanel } from '../payment-checks.js';
import { rulesPanel } from '../rules.js';

const seconds = 2, pageSize = 50;
// what was aimed at the review before is not meant for the one that has taken its place
const aimMilliseconds = 700;

export default async function showPayments({ main, signal, query, title }) {
  title('Payments');
  const live = freshness();
  const list = element('ul', { class: 'reviews', tabindex: -1, 'aria-label': 'Payments that wait for a decision' });
  const detail = element('div', { class: 'review', tabindex: -1 }, skeleton(6));
  const message = element('div', { role: 'status' });
  main.replaceChildren(head('Payments', live.node),
    element('section', { class: 'panel', 'aria-labelledby': 'reviews-title' },
      element('div', { class: 'panel-head' }, element('h2', { id: 'reviews-title' }, 'To decide'), element('span', { class: 'small muted keys' }, 'in the list: ', element('kbd', {}, 'j'), ' ', element('kbd', {}, 'k'), ' choose  ', element('kbd', {}, 'a'), ' approve  ', element('kbd', {}, 'r'), ' reject')),
      message, element('div', { class: 'split' }, list, detail)),
    rulesPanel(signal),
    element('div', { class: 'columns' }, replayPanel(signal), reconciliationPanel()));

  let reviews = null, chosen = query.get('payment'), shown = null, shownAt = 0;
  const rows = new Map();
  const choose = id => {
    chosen = id;
    history.replaceState(null, '', id ? `/control/payments?payment=${encodeURIComponent(id)}` : '/control/payments');
    show();
  };
  const show = () => {
    showList();
    const review = reviews.find(one => one.paymentId === chosen);
    // rebuilt only where another is chosen: others come and go, and what is written about this one stays
    const next = review ? chosen : reviews.length === 0 ? 'none' : chosen ? 'gone' : 'any';
    if (next === shown)
      return;
    shown = next;
    shownAt = performance.now();
    keepFocus(detail, () => detail.replaceChildren(...review ? reviewOf(review, act, signal) : [next === 'none'
      ? empty('Nothing waits for a decision. To see one held, order 20 times as one shopper within ten minutes.')
      : empty(next === 'gone' ? 'The payment that was chosen is not among those that wait: it was decided elsewhere, or its time was up. Choose another.' : 'Choose a payment to decide.')]));
  };
  const showList = () => {
    const ids = new Set(reviews.map(({ paymentId }) => paymentId));
    const isSame = ids.size === rows.size && [...ids].every(id => rows.has(id));
    for (const id of [...rows.keys()].filter(id => !ids.has(id)))
      rows.delete(id);
    for (const one of reviews) {
      if (!rows.has(one.paymentId))
        rows.set(one.paymentId, rowOf(one));
      rows.get(one.paymentId).firstChild.setAttribute('aria-pressed', String(one.paymentId === chosen));
    }
    if (isSame)
      return;
    list.hidden = reviews.length === 0;
    keepFocus(list, () => list.replaceChildren(...reviews.map(({ paymentId }) => rows.get(paymentId))));
  };
  const rowOf = one => element('li', {}, element('button', { class: 'review-row', type: 'button', onclick: () => choose(one.paymentId) },
    element('span', { class: 'score number', 'data-level': levelOf(one.score) }, one.score.toFixed(2)), element('strong', { class: 'number' }, money(one.amount)), element('span', {}, one.shopperId), timeAgo(one.heldAt)));
  /** Changes what is in a part of the page: the focus that was in it stays there. */
  const keepFocus = (part, change) => {
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    change();
    if (focused)
      (focused.isConnected ? focused : part.hidden ? main : part).focus({ preventScroll: true });
  };
  const act = (event, review, decision, note) => {
    // the second half of a double click, or a press that was on its way when the review changed
    if (event.detail > 1 || performance.now() - shownAt < aimMilliseconds)
      return;
    decide(review, decision, note);
  };
  const decide = async (review, decision, note) => {
    const buttons = [...detail.querySelectorAll('[data-decision]')], hadFocus = detail.contains(document.activeElement);
    buttons.forEach(button => button.disabled = true);
    try {
      await operations.decide(review.paymentId, decision, note);
      message.replaceChildren(element('p', { class: 'notice good' }, `${decision === 'approve' ? 'Approved' : 'Rejected'}: ${money(review.amount)} of ${review.shopperId}, `, orderLink(review.orderId)));
    } catch (problem) {
      message.replaceChildren(element('p', { class: 'notice warn' }, problem.message));
      if (problem.status !== 409)
        return buttons.forEach(button => button.disabled = false);
    }
    if (signal.aborted)
      return;
    reviews = reviews.filter(one => one.paymentId !== review.paymentId);
    // the next one is chosen by who decides, not by what happens to come first
    chosen === review.paymentId ? choose(null) : show();
    if (hadFocus && [detail, document.body].includes(document.activeElement))
      (list.hidden ? main : list).focus({ preventScroll: true });
  };
  // single keys, and so only while the list has the focus (WCAG 2.1.4)
  list.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !reviews?.length)
      return;
    const index = reviews.findIndex(one => one.paymentId === chosen);
    if (event.key === 'j' || event.key === 'k') {
      const next = reviews[Math.min(reviews.length - 1, Math.max(0, index + (event.key === 'j' ? 1 : -1)))];
      choose(next.paymentId);
      rows.get(next.paymentId).firstChild.focus();
    } else if (!event.repeat && index >= 0 && (event.key === 'a' || event.key === 'r'))
      detail.querySelector(event.key === 'a' ? '[data-decision="approve"]' : '[data-decision="reject"]')?.click();
  });

  await poll(signal => operations.reviews({ limit: pageSize }, signal), {
    signal, seconds, onProblem: live.isStale,
    onValue({ items }) {
      live.isTrue();
      // the first that waits, to begin with and then never by itself
      if (reviews === null)
        chosen ??= items[0]?.paymentId ?? null;
      reviews = items;
      show();
    },
  });
}

const levelOf = score => score >= .8 ? 'bad' : score >= .5 ? 'warn' : '';

function reviewOf(review, act, signal) {
  const note = element('input', { id: 'review-note', maxlength: 1000, placeholder: 'why, for those who look at it later' });
  const others = element('div', {}, skeleton(3));
  operations.orders({ shopper: review.shopperId, limit: 6 }, signal).then(({ items }) => others.replaceChildren(element('ul', { class: 'small-list' }, ...items.filter(order => order.id !== review.orderId).slice(0, 5).map(order =>
    element('li', {}, orderLink(order.id), statusOf(order.status), element('span', { class: 'number' }, money(order.total)), timeAgo(order.submittedAt))))), () => others.replaceChildren(element('p', { class: 'muted' }, 'Orders does not answer.')));
  const button = (decision, text, key, kind) => element('button', { class: `button ${kind}`, type: 'button', 'data-decision': decision, 'aria-keyshortcuts': key, onclick: event => act(event, review, decision, note.value.trim()) }, text, element('kbd', {}, key));
  return [
    element('div', { class: 'review-head' }, element('strong', { class: 'review-amount number' }, money(review.amount)), element('span', {}, ' of ', element('a', { href: `/control/orders?shopper=${encodeURIComponent(review.shopperId)}` }, review.shopperId)),
      element('span', { class: 'score number', 'data-level': levelOf(review.score) }, `score ${review.score.toFixed(2)}`)),
    element('dl', { class: 'facts' }, ...[['Order', orderLink(review.orderId)], ['Payment', copyableId(review.paymentId)], ['Held', timeAgo(review.heldAt)], ['Cancelled by itself', timeAgo(review.deadline)]]
      .flatMap(([label, value]) => [element('dt', {}, label), element('dd', {}, value)])),
    element('h3', {}, 'Rules that fired, with what they saw'),
    element('ul', { class: 'rules' }, ...review.rules.map(rule => element('li', {}, element('div', { class: 'rule-line' }, element('strong', {}, rule.rule), element('span', { class: 'number' }, `${count(rule.points)} points`)),
      element('progress', { max: Math.max(...review.rules.map(({ points }) => points), 1), value: rule.points, 'aria-label': `Points of ${rule.rule}` }),
      element('div', { class: 'features small muted number' }, ...Object.entries(rule.features).map(([name, value]) => element('span', {}, `${name} `, element('b', {}, count(Math.round(value * 1000) / 1000)))))))),
    element('h3', {}, `Last orders of ${review.shopperId}`), others,
    element('div', { class: 'field' }, element('label', { for: 'review-note' }, 'Note'), note),
    element('div', { class: 'actions' }, button('approve', 'Approve', 'a', 'primary'), button('reject', 'Reject', 'r', 'danger')),
  ];
}
