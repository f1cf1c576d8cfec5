// Who is signed in.
import * as api from './api.js';

let current;

/** `{name, roles, signInAt, isClosed}`; the name is null where nobody is signed in; `signInAt` is there where people sign in at an authority, `isClosed` where nobody can. */
export function currentSession() {
  current ??= api.session().catch(problem => {
    current = undefined;
    if (problem.status === 404)
      return { name: null, roles: [], isClosed: true };
    throw problem;
  });
  return current;
}

/** Throws, as the API would, where nobody is signed in. */
export async function requireSession() {
  if ((await currentSession()).name === null)
    throw new api.Problem(401, { title: 'Sign in first' });
}

/** Has the next who asks ask the shop again. */
export function forgetSession() {
  current = undefined;
}

/** From now on it is `name` who shops. */
export async function enter(name, roles) {
  await api.signIn(name, roles);
  changed();
}

/** Signs out, and where there is an authority leaves the page for it, which sends the browser back to the shop. */
export async function leave() {
  const { endSessionAt } = await api.signOut() ?? {};
  if (endSessionAt) {
    location.assign(endSessionAt);
    // nothing of this page comes after
    return new Promise(() => {});
  }
  changed();
}

// A browser that goes back may show a page as it was left, with what its shopper has signed out of since.
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted)
    return;
  document.body.hidden = true;
  location.reload();
});

function changed() {
  current = undefined;
  dispatchEvent(new Event('session-changed'));
}
