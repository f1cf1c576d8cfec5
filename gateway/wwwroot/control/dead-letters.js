// Dead letters of all services, by what they have in common; one or all of a cause are redriven.
import { count, element, timeAgo } from '../shared/dom.js';
import { pause } from '../shared/api.js';
import { poll, settled } from '../shared/live.js';
import * as operations from '../shared/operations.js';
import { choices, copyableId, empty, eventName, orderLink, serviceBadge, table } from './parts.js';

const seconds = 2, most = 200, progressSeconds = .5, mostOpen = 3;
const waiting = ['parked', 'redriving'], ofOrders = new Set(['orders', 'reservations', 'payments']);

export function deadLetterPanel({ signal, query, services }) {
  const chosenService = query.get('service') ?? '', chosenStatus = query.get('status') ?? '';
  const message = element('div', { role: 'status' });
  const causes = element('div', { class: 'causes' });
  const redriving = new Map();
  const reload = { now: () => {} };

  const actOne = async (letter, ask, done) => {
    try {
      await ask(letter.service, letter.id);
      message.replaceChildren(element('p', { class: 'notice good' }, `${done}: ${eventName(letter.eventType ?? letter.topic)} of ${letter.key}`));
    } catch (problem) {
      message.replaceChildren(element('p', { class: 'notice warn' }, problem.message));
    }
    await reload.now();
  };
  const redriveCause = async cause => {
    redriving.set(cause.key, { total: cause.letters.length, redriven: 0, failed: 0, status: 'running' });
    reload.show();
    try {
      let progress = await operations.beginRedrive(cause.service, { topic: cause.topic, ...(cause.eventType && { eventType: cause.eventType }), errorType: cause.errorType });
      for (; progress.status === 'running'; progress = await operations.redriveProgress(cause.service, progress.id, signal)) {
        redriving.set(cause.key, progress);
        reload.show();
        await pause(progressSeconds, signal);
      }
      message.replaceChildren(element('p', { class: `notice ${progress.failed > 0 ? 'warn' : 'good'}` }, `${count(progress.redriven)} of ${count(progress.total)} redriven, ${count(progress.failed)} failed again.`));
    } catch (problem) {
      if (signal.aborted)
        return;
      message.replaceChildren(element('p', { class: 'notice warn' }, problem.message));
    }
    redriving.delete(cause.key);
    await reload.now();
  };

  const shown = new Map();
  let letters = [], away = [], cut = new Set(), looks = '';
  const show = () => {
    const groups = causesOf(letters);
    // rebuilt only where something else is there, so that what is opened stays so
    const next = JSON.stringify([groups.map(({ key }) => key), away, [...redriving.keys()]]);
    if (next !== looks) {
      looks = next;
      shown.clear();
      causes.replaceChildren(...away.map(service => element('p', { class: 'notice warn' }, element('strong', {}, service), ' does not answer: its dead letters are not known.')),
        ...groups.map(cause => {
          const part = causeOf(cause, redriving.get(cause.key), redriveCause, actOne);
          shown.set(cause.key, part);
          return part.node;
        }),
        ...groups.length === 0 && away.length < services.length ? [chosenStatus ? empty('There is none like that.') : empty('None: every record that came could be handled.')] : []);
    }
    for (const cause of groups)
      shown.get(cause.key)?.show(cause, redriving.get(cause.key), cut.has(cause.service));
  };
  const load = async signal => {
    const asked = services.filter(service => !chosenService || service === chosenService);
    const read = await settled(asked.map(async service => {
      const pages = await Promise.all((chosenStatus ? [chosenStatus] : waiting).map(status => operations.deadLetters(service, { limit: most, status }, signal)));
      // between the answers one may have gone from the one state to the other
      const found = new Map(pages.flatMap(({ items }) => items).map(letter => [letter.id, { ...letter, service }]));
      return { letters: [...found.values()], isCut: pages.some(({ next }) => next) };
    }));
    const of = test => asked.filter((_, index) => test(read[index]));
    return { away: of(({ status }) => status === 'rejected'), cut: new Set(of(({ value }) => value?.isCut)), letters: read.flatMap(({ value }) => value?.letters ?? []) };
  };
  const onValue = value => {
    ({ letters, away, cut } = value);
    show();
  };
  reload.show = show;
  reload.now = () => load(signal).then(onValue, () => {});
  poll(load, { signal, seconds, onValue, onProblem: () => {} }).catch(() => {});
  return element('section', { class: 'panel', 'aria-labelledby': 'panel-dead-letters' },
    element('div', { class: 'panel-head' }, element('h2', { id: 'panel-dead-letters' }, 'Dead letters'),
      element('div', { class: 'actions' }, choices('Of which service', 'service', [['', 'all services'], ...services.map(service => [service, service])], query),
        choices('In which state', 'status', [['', 'waiting'], ['redriven', 'redriven'], ['discarded', 'discarded']], query))), message, causes);
}

/** Letters by service, topic, event type and what was thrown. */
function causesOf(letters) {
  const causes = new Map();
  for (const letter of letters) {
    const errorType = letter.error.split(': ')[0];
    const key = [letter.service, letter.topic, letter.eventType, errorType].join(' ');
    if (!causes.has(key))
      causes.set(key, { key, service: letter.service, topic: letter.topic, eventType: letter.eventType, errorType, letters: [] });
    causes.get(key).letters.push(letter);
  }
  return [...causes.values()].sort((a, b) => b.letters.length - a.letters.length);
}

function causeOf(cause, progress, redriveCause, actOne) {
  const isWaiting = letter => waiting.includes(letter.status);
  const parked = element('span', { class: 'muted number' });
  const bar = element('div', { class: 'actions' });
  const list = table(`Dead letters by ${cause.errorType}`, [
    { label: 'Key', of: letter => ofOrders.has(letter.topic) && /^[0-9a-f-]{36}$/.test(letter.key) ? orderLink(letter.key) : copyableId(letter.key) },
    { label: 'Group', of: letter => letter.endpoint },
    { label: 'Where', of: letter => element('code', {}, `${letter.topic}/${letter.partition}@${letter.offset}`) },
    { label: 'Failed', of: letter => timeAgo(letter.failedAt) },
    { label: 'State', of: letter => letter.status },
    { label: 'Behind it', kind: 'number', of: letter => count(letter.parkedBehind) },
    { label: 'What was thrown', kind: 'wide', of: letter => element('details', {}, element('summary', {}, letter.error.slice(0, 160)), element('pre', { tabindex: 0, 'aria-label': 'Stack trace' }, letter.stackTrace), element('pre', { tabindex: 0, 'aria-label': 'Data of the record' }, JSON.stringify(letter.payload, null, 2))) },
    { label: 'Decide', of: letter => isWaiting(letter) && element('div', { class: 'actions' },
      element('button', { class: 'button', type: 'button', onclick: () => actOne(letter, operations.redrive, 'Redriven') }, 'Redrive'),
      element('button', { class: 'button danger', type: 'button', onclick: () => actOne(letter, operations.discard, 'Discarded') }, 'Discard')) },
  ], { key: letter => letter.id, empty: '' });
  const node = element('div', { class: 'cause' },
    element('div', { class: 'cause-line' }, serviceBadge(cause.service), element('strong', {}, cause.eventType ? eventName(cause.eventType) : cause.topic), element('code', {}, cause.errorType), parked, bar),
    element('details', { open: cause.letters.length <= mostOpen }, element('summary', {}, 'Each of them'), list.node));
  const all = element('button', { class: 'button', type: 'button' }, 'Redrive all of this cause');
  const meter = element('progress', { 'aria-label': 'Dead letters redriven' }), said = element('span', { class: 'number small' });
  let current = cause;
  all.addEventListener('click', () => redriveCause(current));
  return {
    node,
    show(cause, progress, isCut) {
      current = cause;
      const behind = cause.letters.reduce((sum, letter) => sum + letter.parkedBehind, 0);
      parked.textContent = `${count(cause.letters.length)}${isCut ? ' or more' : ''}, ${count(behind)} parked behind`;
      if (progress) {
        meter.max = Math.max(1, progress.total);
        meter.value = progress.redriven + progress.failed;
        said.textContent = `${count(progress.redriven)} of ${count(progress.total)} redriven, ${count(progress.failed)} failed again`;
      }
      const parts = progress ? [meter, said] : cause.letters.some(isWaiting) ? [all] : [];
      if (parts.length !== bar.children.length || parts[0] !== bar.children[0])
        bar.replaceChildren(...parts);
      list.show(cause.letters);
    },
  };
}
