// The rules that decide about payments, and those that are tried out beside them.
import { count, element, timeAgo } from '../shared/dom.js';
import { poll } from '../shared/live.js';
import * as operations from '../shared/operations.js';
import { copyableId, empty, panel, skeleton, table } from './parts.js';

const seconds = 5, mostExamples = 5;
const thresholds = [['holdAt', 'Held from'], ['declineAt', 'Declined from'], ['taintAt', 'Taints what follows from']];

/** The rules in force with their settings and, where others are tried out, what is other about them and what they would have decided. */
export function rulesPanel(signal) {
  const box = element('div', { class: 'fields' }, skeleton(8));
  let shown = '', rows, isTrial;
  poll(async signal => {
    const live = await operations.rules(signal);
    return { live, shadow: live.shadow ? await operations.shadowRules(signal) : null };
  }, {
    signal, seconds, onProblem: () => {},
    onValue({ live, shadow }) {
      if (JSON.stringify([live, shadow]) === shown)
        return;
      shown = JSON.stringify([live, shadow]);
      if (!rows || isTrial !== Boolean(shadow))
        rows = rulesTable(isTrial = Boolean(shadow));
      rows.show(rulesOf(live.rules, shadow));
      box.replaceChildren(
        element('p', {}, element('strong', {}, `Version ${live.version}`), live.version === 0 ? ', as delivered' : ', set by an operator'),
        element('dl', { class: 'facts' }, ...thresholds.flatMap(([name, label]) => [element('dt', {}, label), element('dd', { class: 'number' }, `${live.rules[name]} points`,
          shadow && shadow.rules[name] !== live.rules[name] ? element('span', { class: 'warn' }, `, tried out: ${shadow.rules[name]}`) : '')])),
        rows.node,
        element('h3', {}, 'Tried out beside them'),
        ...shadow ? trialOf(shadow) : [empty('None. Others are tried out on each new payment, and decide nothing, after:', 'PUT /api/ops/fraud/shadow {"holdAt":40}')]);
    },
  }).catch(() => {});
  return panel('Rules in force', box);
}

function rulesTable(isTrial) {
  return table('Rules', [
    { label: 'Rule', kind: 'line', of: rule => rule.name },
    { label: 'Points', kind: 'number', of: rule => String(rule.points) },
    { label: 'Fires by', kind: 'wide', of: rule => element('div', { class: 'features small muted number' }, ...settingsOf(rule.settings)) },
    ...isTrial ? [
      { label: 'Tried out', of: rule => rule.other.length === 0 ? 'the same' : element('div', { class: 'features small warn number' }, ...settingsOf(rule.other)) },
      { label: 'Fired', kind: 'number', of: rule => count(rule.fired) },
      { label: 'Would have', kind: 'number', of: rule => count(rule.wouldHave) },
    ] : [],
  ], { key: rule => rule.name, empty: empty('There are no rules.') });
}

/** Each rule with its settings, those of the trial that are not the same, and how often it fired. */
function rulesOf(live, shadow) {
  return Object.entries(live).filter(([, settings]) => typeof settings === 'object').map(([key, { points, ...settings }]) => {
    const name = key.charAt(0).toUpperCase() + key.slice(1);
    const fired = shadow?.report.rules.find(({ rule }) => rule === name);
    return { name, points, settings: Object.entries(settings), fired: fired?.live ?? 0, wouldHave: fired?.shadow ?? 0,
      other: Object.entries(shadow?.rules[key] ?? {}).filter(([setting, value]) => value !== live[key][setting]) };
  });
}

const settingsOf = settings => settings.map(([name, value]) => element('span', {}, `${name} `, element('b', {}, String(value))));

const trialOf = shadow => [element('p', { class: 'number' }, `Version ${shadow.version}, set by ${shadow.setBy} `, timeAgo(shadow.setAt)), ...reportOf(shadow.report)];

/** What other rules would have decided otherwise than those in force. */
export function reportOf({ screened, differences, examples }) {
  if (differences.length === 0)
    return [element('p', { class: 'number' }, `${count(screened)} payments screened, none of them would have been decided otherwise.`)];
  return [
    element('p', { class: 'number' }, `${count(screened)} payments screened. Decided otherwise:`),
    element('ul', { class: 'small-list' }, ...differences.map(one => element('li', {}, element('span', {}, `${one.live} → ${one.shadow}`), element('strong', { class: 'number' }, count(one.payments))))),
    element('h4', { class: 'small muted' }, 'Some of them'),
    element('ul', { class: 'small-list small' }, ...examples.slice(0, mostExamples).map(example => element('li', {}, copyableId(example.paymentId),
      element('span', { class: 'number' }, `${example.live.score.toFixed(2)} → ${example.shadow.score.toFixed(2)}`), element('span', {}, example.shadow.rules.map(({ rule }) => rule).join(', ')), timeAgo(example.at)))),
  ];
}
