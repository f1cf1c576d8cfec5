// Who is signed in.
import * as api from './api.js';

// who it was that this browser's tabs learned of last
const key = 'shop.session';
let current, shown;

/** `{name, roles, signInAt, isClosed}`; the name is null where nobody is signed in; `signInAt` is there where people sign in at an authority, `isClosed` where nobody can. */
export function currentSession() {
  current ??= api.session().then(session => {
    learn(session.name);
    return session;
  }, problem => {
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
  current = shown = undefined;
}

/** From now on it is `name` who shops. */
export async function enter(name, roles) {
  await api.signIn(name, roles);
  changed(name);
}

/** Signs out, and where there is an authority leaves the page for it, which sends the browser back to the shop. */
export async function leave() {
  const { endSessionAt } = await api.signOut() ?? {};
  if (endSessionAt) {
    learn(null);
    location.assign(endSessionAt);
    // nothing of this page comes after
    return new Promise(() => {});
  }
  changed(null);
}

// A browser that goes back may show a page as it was left, with what its shopper has signed out of since.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted)
    startAgain();
});

// What one tab shows as somebody's must not be sent as somebody else's, who has signed in in another.
addEventListener('storage', event => {
  if (event.key === key && shown !== undefined && event.newValue !== shown)
    startAgain();
});

function startAgain() {
  document.body.hidden = true;
  location.reload();
}

function learn(name) {
  shown = name ?? '';
  if (localStorage.getItem(key) !== shown)
    localStorage.setItem(key, shown);
}

function changed(name) {
  current = undefined;
  learn(name);
  dispatchEvent(new Event('session-changed'));
}
