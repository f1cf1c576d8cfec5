// The feed made again from its events, while it serves.
import { count, element } from '../shared/dom.js';
import { poll } from '../shared/live.js';
import * as operations from '../shared/operations.js';
import { panel, skeleton } from './parts.js';

const seconds = 1, ends = new Set(['none', 'done', 'cancelled']);

export function rebuildPanel(signal, announce) {
  const state = element('div', {}, skeleton(2)), message = element('div', { role: 'status' });
  const from = element('select', { id: 'rebuild-from' }, element('option', { value: 'beginning' }, 'the topics’ beginning'), element('option', { value: 'archive' }, 'the archive, then the topics'));
  const begin = element('button', { class: 'button', type: 'submit' }, 'Rebuild the feed');
  const form = element('form', { class: 'filters' }, element('div', { class: 'field' }, element('label', { for: 'rebuild-from' }, 'From'), from), begin);
  const ask = async (what, done) => {
    try {
      await what();
      message.replaceChildren();
      announce(done);
    } catch (problem) {
      message.replaceChildren(element('p', { class: 'notice warn' }, Object.values(problem.errors ?? {}).flat().join(' ') || problem.message));
    }
  };
  form.addEventListener('submit', event => {
    event.preventDefault();
    ask(() => operations.beginRebuild(from.value), 'The rebuild has begun');
  });
  const meter = element('progress', { 'aria-label': 'Events of the rebuild' }), said = element('span', { class: 'number' });
  const cancel = element('button', { class: 'button danger', type: 'button', onclick: () => ask(operations.cancelRebuild, 'The rebuild is being cancelled') }, 'Cancel');
  const differences = element('div', {});
  let looks = '';
  poll(operations.rebuild, {
    signal, seconds, onProblem: () => {},
    onValue(rebuild) {
      const isOver = ends.has(rebuild.state);
      begin.disabled = !isOver;
      meter.max = Math.max(1, rebuild.of);
      meter.value = rebuild.events;
      said.textContent = rebuild.state === 'none' ? 'It has not been rebuilt yet.'
        : `${rebuild.state}: ${count(rebuild.events)} of ${count(rebuild.of)} events, ${count(rebuild.eventsPerSecond)}/s${!isOver && rebuild.secondsLeft !== null ? `, ${count(Math.ceil(rebuild.secondsLeft))} s left` : ''}`;
      const next = `${rebuild.state} ${isOver}`;
      if (next !== looks) {
        looks = next;
        state.replaceChildren(...rebuild.state === 'none' ? [said] : [meter, element('div', { class: 'actions' }, said, isOver ? '' : cancel)]);
        if (rebuild.state === 'done')
          announce('The rebuild is done');
      }
      const found = rebuild.differences ? JSON.stringify(rebuild.differences, null, 2) : '';
      if (differences.dataset.found !== found) {
        differences.dataset.found = found;
        differences.replaceChildren(found ? element('details', {}, element('summary', {}, 'What the new feed has otherwise, by topic and partition'), element('pre', { tabindex: 0, 'aria-label': 'Differences' }, found)) : '');
      }
    },
  }).catch(() => {});
  return panel('Rebuild', element('p', { class: 'small muted' }, 'The feed is made again beside the one that serves, compared with it, and put in its place.'), form, message, state, differences);
}
