// Payments: those that wait for an operator, the rules, others tried out on the past, and the comparison with the provider's ledger.
import { count, element, money, timeAgo } from '../../shared/dom.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { copyableId, empty, head, orderLink, panel, skeleton } from '../parts.js';
import { statusOf } from './orders.js';
import { reconciliationPanel, replayPanel } from '../payment-checks.js';
import { rulesPanel } from '../rules.js';

const seconds = 2, pageSize = 50;

export default async function showPayments({ main, signal, query, title }) {
  title('Payments');
  const live = freshness();
  const list = element('ul', { class: 'reviews', 'aria-label': 'Payments that wait for a decision' });
  const detail = element('div', { class: 'review' }, skeleton(6));
  const message = element('div', { role: 'status' });
  main.replaceChildren(head('Payments', live.node),
    element('section', { class: 'panel', 'aria-labelledby': 'reviews-title' },
      element('div', { class: 'panel-head' }, element('h2', { id: 'reviews-title' }, 'To decide'), element('span', { class: 'small muted keys' }, element('kbd', {}, 'j'), ' ', element('kbd', {}, 'k'), ' choose  ', element('kbd', {}, 'a'), ' approve  ', element('kbd', {}, 'r'), ' reject')),
      message, element('div', { class: 'split' }, list, detail)),
    rulesPanel(signal),
    element('div', { class: 'columns' }, replayPanel(signal), reconciliationPanel()));

  let reviews = [], chosen = query.get('payment'), shown = '';
  const choose = id => {
    chosen = id;
    history.replaceState(null, '', id ? `/control/payments?payment=${id}` : '/control/payments');
    show();
  };
  const show = () => {
    const review = reviews.find(one => one.paymentId === chosen) ?? reviews[0];
    chosen = review?.paymentId ?? null;
    const looks = JSON.stringify([reviews.map(({ paymentId }) => paymentId), chosen]);
    if (looks === shown)
      return;
    shown = looks;
    list.replaceChildren(...reviews.map(one => element('li', {}, element('button', { class: 'review-row', type: 'button', 'aria-pressed': String(one.paymentId === chosen), onclick: () => choose(one.paymentId) },
      element('span', { class: 'score number', 'data-level': levelOf(one.score) }, one.score.toFixed(2)), element('strong', { class: 'number' }, money(one.amount)), element('span', {}, one.shopperId), timeAgo(one.heldAt)))));
    list.hidden = reviews.length === 0;
    detail.replaceChildren(...review ? reviewOf(review, decide, signal) : [empty('Nothing waits for a decision. To see one held, order 20 times as one shopper within ten minutes.')]);
  };
  const decide = async (review, decision, note) => {
    try {
      await operations.decide(review.paymentId, decision, note);
      message.replaceChildren(element('p', { class: 'notice good' }, `${decision === 'approve' ? 'Approved' : 'Rejected'}: ${money(review.amount)} of ${review.shopperId}, `, orderLink(review.orderId)));
    } catch (problem) {
      message.replaceChildren(element('p', { class: 'notice warn' }, problem.message));
      if (problem.status !== 409)
        return;
    }
    reviews = reviews.filter(one => one.paymentId !== review.paymentId);
    show();
  };
  document.addEventListener('keydown', event => {
    if (event.target.closest?.('input, textarea, select') || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const index = reviews.findIndex(one => one.paymentId === chosen);
    if (event.key === 'j' || event.key === 'k')
      choose(reviews[Math.min(reviews.length - 1, Math.max(0, index + (event.key === 'j' ? 1 : -1)))]?.paymentId);
    else if (index >= 0 && (event.key === 'a' || event.key === 'r'))
      detail.querySelector(event.key === 'a' ? '[data-decision="approve"]' : '[data-decision="reject"]')?.click();
  }, { signal });

  await poll(signal => operations.reviews({ limit: pageSize }, signal), {
    signal, seconds, onProblem: live.isStale,
    onValue({ items }) {
      live.isTrue();
      reviews = items;
      show();
    },
  });
}

const levelOf = score => score >= .8 ? 'bad' : score >= .5 ? 'warn' : '';

function reviewOf(review, decide, signal) {
  const note = element('input', { id: 'review-note', maxlength: 1000, placeholder: 'why, for those who look at it later' });
  const others = element('div', {}, skeleton(3));
  operations.orders({ shopper: review.shopperId, limit: 6 }, signal).then(({ items }) => others.replaceChildren(element('ul', { class: 'small-list' }, ...items.filter(order => order.id !== review.orderId).slice(0, 5).map(order =>
    element('li', {}, orderLink(order.id), statusOf(order.status), element('span', { class: 'number' }, money(order.total)), timeAgo(order.submittedAt))))), () => others.replaceChildren(element('p', { class: 'muted' }, 'Orders does not answer.')));
  const button = (decision, text, key, kind) => element('button', { class: `button ${kind}`, type: 'button', 'data-decision': decision, 'aria-keyshortcuts': key, onclick: event => {
    event.target.disabled = true;
    decide(review, decision, note.value.trim());
  } }, text, element('kbd', {}, key));
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
