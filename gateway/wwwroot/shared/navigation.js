// What documents that show what the address says have in common.
import * as api from './api.js';

/** A part of an address; what is no well-formed one names nothing. */
export function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Has a click on a link to an address of this document's, by `isOurs(path)`, be a call of `go(address)`; a jump within the page stays one. */
export function followLinks(isOurs, go) {
  document.addEventListener('click', event => {
    const link = event.target.closest?.('a[href]');
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.origin !== location.origin)
      return;
    const isJump = link.hash && link.pathname + link.search === location.pathname + location.search;
    if (isJump || !isOurs(link.pathname))
      return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  });
}

/** Says in `#connection` what is tried again, and for how long it is waited. */
export function showConnection() {
  const line = document.querySelector('#connection');
  api.connection.addEventListener('waiting', ({ detail: { problem, seconds } }) => {
    const what = problem.status === 429 ? 'That was a lot at once' : problem.status === 0 ? 'The shop cannot be reached' : 'A part of the shop is not there at the moment';
    line.textContent = `${what}: trying again in ${seconds} s.`;
    line.hidden = false;
  });
  api.connection.addEventListener('answered', () => line.hidden = true);
}

/** Tells those who cannot see it what has changed. */
export function announce(text) {
  document.querySelector('#announcement').textContent = text;
}
