// The comparison with the provider's ledger, and rules tried out on the payments of the past.
import { count, element, timeAgo } from '../shared/dom.js';
import { clearProblem, field, showProblem } from '../shared/forms.js';
import { poll } from '../shared/live.js';
import * as operations from '../shared/operations.js';
import { copyableId, empty, orderLink, panel, table } from './parts.js';
import { reportOf } from './rules.js';

const periods = [['1', 'last hour'], ['24', 'last day'], ['168', 'last week']], hourMilliseconds = 3_600_000, seconds = 2;

const problemBox = () => element('p', { class: 'notice bad', role: 'alert', 'data-problem': true, hidden: true, tabindex: -1 });

/** Has payments compared with the provider's ledger, and shows what differs. */
export function reconciliationPanel() {
  const result = element('div', { role: 'status' });
  const choice = element('select', {}, ...periods.map(([value, text]) => element('option', { value, selected: value === '24' }, text)));
  const button = element('button', { class: 'button', type: 'submit' }, 'Compare');
  const form = element('form', { class: 'fields' }, problemBox(), element('div', { class: 'filters' }, field('period', 'Payments requested in the', choice), button));
  form.addEventListener('submit', async event => {
    event.preventDefault();
    clearProblem(form);
    button.disabled = true;
    try {
      const to = new Date();
      const report = await operations.reconcile({ from: new Date(to - Number(choice.value) * hourMilliseconds).toISOString(), to: to.toISOString() });
      const differences = table('Payments that differ', [
        { label: 'Payment', of: item => copyableId(item.paymentId) },
        { label: 'Order', of: item => item.orderId ? orderLink(item.orderId) : 'none' },
        { label: 'Here', kind: 'wide', of: item => item.ours },
        { label: 'At the provider', kind: 'wide', of: item => item.theirs },
      ], { key: item => item.paymentId, empty: element('p', { class: 'notice good' }, 'None differs.') });
      differences.show(report.differences);
      result.replaceChildren(element('p', { class: 'number' }, `${count(report.compared)} compared, ${count(report.inFlight)} on their way, ${count(report.differing)} differ, `, timeAgo(report.to)), differences.node);
    } catch (problem) {
      showProblem(form, problem);
    }
    button.disabled = false;
  });
  return panel('Reconciliation', element('p', { class: 'small muted' }, 'Our payments beside the provider’s ledger. Each that differs is an alarm until it does not.'), form, result);
}

/** Tries another threshold out over the stored payments, and shows what would have been decided otherwise. */
export function replayPanel(signal) {
  const result = element('div', { role: 'status' });
  const holdAt = element('input', { type: 'number', min: 1, max: 1000, step: 1, required: true });
  const button = element('button', { class: 'button', type: 'submit' }, 'Try it out');
  const form = element('form', { class: 'fields', novalidate: true }, problemBox(), element('div', { class: 'filters' }, field('rules.holdAt', 'Hold payments from this many points', holdAt), button));
  let live = null;
  operations.rules(signal).then(({ rules }) => {
    live = rules;
    holdAt.value ||= rules.holdAt;
  }, () => {});
  form.addEventListener('submit', async event => {
    event.preventDefault();
    clearProblem(form);
    button.disabled = true;
    try {
      show(await operations.beginReplay({ from: 'beginning', rules: { ...live, holdAt: Number(holdAt.value) } }));
      if (newest.isConnected)
        watch();
    } catch (problem) {
      showProblem(form, problem);
    }
    button.disabled = false;
  });
  // where there was none yet, asking would be an error
  const newest = element('button', { class: 'button', type: 'button', onclick: () => watch() }, 'Show the newest');
  const watch = () => {
    newest.remove();
    poll(operations.replay, { signal, seconds, onValue: show, onProblem: () => {} }).catch(() => {});
  };
  let shown = '';
  const show = replay => {
    if (signal.aborted || JSON.stringify(replay) === shown)
      return;
    shown = JSON.stringify(replay);
    result.replaceChildren(...replay === null ? [empty('No rules have been tried out yet.')] : viewOf(replay));
  };
  form.querySelector('.filters').append(newest);
  return panel('Other rules on past payments', element('p', { class: 'small muted' }, 'What a threshold would have decided, over every stored payment. Nothing is decided by it.'), form, result);
}

function viewOf(replay) {
  const isOver = ['done', 'cancelled', 'failed'].includes(replay.state);
  return [
    element('p', { class: 'number' }, `${replay.state}, held from ${replay.rules.holdAt} points, asked for by ${replay.askedBy} `, timeAgo(replay.askedAt)),
    isOver ? '' : element('div', { class: 'actions' }, element('progress', { max: Math.max(1, replay.of), value: replay.records, 'aria-label': 'Records read' }), element('span', { class: 'number small' }, `${count(replay.records)} of ${count(replay.of)} records`),
      element('button', { class: 'button', type: 'button', onclick: () => operations.endReplay().catch(() => {}) }, 'Cancel')),
    replay.error && element('p', { class: 'notice bad' }, replay.error),
    ...replay.report ? reportOf(replay.report) : [],
  ].filter(Boolean);
}
