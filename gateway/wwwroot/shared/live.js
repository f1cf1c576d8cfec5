// What is asked for again and again while it is looked at.
import { pause } from './api.js';
import { clock, element } from './dom.js';

const patienceMilliseconds = 5000;

/**
 * Calls `load(signal)` every so many `seconds`, not while the page is hidden, and tells `onValue` its result. What fails, or is slow to come, is told to
 * `onProblem` and asked for again: what was true last stays where it is. Ends with the signal, or where the caller may not ask, which `session-refused` tells
 * the whole page.
 */
export async function poll(load, { signal, seconds, onValue, onProblem }) {
  while (!signal.aborted) {
    const slow = setTimeout(() => signal.aborted || onProblem(new Error('There is no answer yet.')), patienceMilliseconds);
    try {
      const value = await load(signal);
      if (!signal.aborted)
        onValue(value);
    } catch (problem) {
      if (signal.aborted)
        return;
      if (isRefusal(problem)) {
        dispatchEvent(new Event('session-refused'));
        throw problem;
      }
      onProblem(problem);
    } finally {
      clearTimeout(slow);
    }
    await pause(seconds, signal).catch(() => {});
    await untilVisible(signal);
  }
}

const isRefusal = problem => problem?.status === 401 || problem?.status === 403;

/** How each of some requests ended, as Promise.allSettled tells it; throws where the caller may not ask. */
export async function settled(requests) {
  const all = await Promise.allSettled(requests);
  const refused = all.find(({ reason }) => isRefusal(reason));
  if (refused)
    throw refused.reason;
  return all;
}

function untilVisible(signal) {
  return document.hidden && !signal.aborted
    ? new Promise(resolve => {
      document.addEventListener('visibilitychange', resolve, { once: true });
      signal.addEventListener('abort', resolve, { once: true });
    })
    : null;
}

/** A word about how true a page is: "live", or since when it is not. */
export function freshness() {
  const node = element('span', { class: 'live', role: 'status', 'data-state': 'loading' });
  let trueAt = null;
  return {
    node,
    isTrue() {
      trueAt = new Date();
      if (node.dataset.state !== 'live')
        node.textContent = 'live';
      node.dataset.state = 'live';
    },
    isStale(problem) {
      const was = node.dataset.state;
      node.dataset.state = 'cut';
      node.title = problem?.message ?? '';
      if (was !== 'cut')
        node.replaceChildren(...trueAt ? ['as of ', clock(trueAt.toISOString()), ', reconnecting…'] : ['reconnecting…']);
    },
  };
}
