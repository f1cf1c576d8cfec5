// The flow of events, as everything in the control room that shows a part of it sees it: asked for once, by one.
import { count } from '../shared/dom.js';
import * as operations from '../shared/operations.js';
import { poll } from '../shared/live.js';

const seconds = 2, mostAlarms = 200;
const changes = new EventTarget();
let now = { flow: null, problem: null };
let isWatched = false;

/** How many alarms are open, as far as they are counted. */
export const openAlarms = flow => flow.openAlarms >= mostAlarms ? `${count(mostAlarms)}+` : count(flow.openAlarms);

/** What is known last: `{flow, problem}`; a problem where the newest could not be had. */
export const lastFlow = () => now;

/** Tells each change of it, until the signal says that nobody looks any more. */
export function watchFlow(onChange, signal) {
  changes.addEventListener('change', () => onChange(now), { signal });
  if (now.flow || now.problem)
    onChange(now);
  if (isWatched)
    return;
  isWatched = true;
  poll(operations.flow, {
    signal: new AbortController().signal,
    seconds,
    onValue: flow => change({ flow, problem: null }),
    onProblem: problem => change({ flow: now.flow, problem }),
  }).catch(problem => {
    // whoever signs in again may ask again
    isWatched = false;
    change({ flow: null, problem });
  });
}

function change(next) {
  now = next;
  changes.dispatchEvent(new Event('change'));
}
