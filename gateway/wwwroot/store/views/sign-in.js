// A few people to be, in Development; elsewhere the way to the authority, where people sign in.
import { element } from '../../shared/dom.js';
import { currentSession, enter } from '../../shared/session.js';

/** Why somebody is sent back here by the gateway. */
const problems = {
  refused: 'You are not signed in: it was refused or called off, or took too long. Try again.',
  away: 'Signing in does not work at the moment. Try again in a while.',
};
const people = [
  ['ada', 'Ada', 'Shopper', []], ['grace', 'Grace', 'Shopper', []], ['linus', 'Linus', 'Shopper', []], ['olga', 'Olga', 'Operator: also runs the shop', ['operator']],
];

export async function showSignIn({ main, query, title, go }) {
  title('Sign in');
  const { signInAt, isClosed } = await currentSession();
  if (isClosed)
    return main.replaceChildren(element('div', { class: 'state' },
      element('h1', {}, 'Nobody can sign in here'),
      element('p', {}, 'This shop was given no place where people sign in.'),
      element('a', { class: 'button', href: '/' }, 'To the shop')));
  if (signInAt)
    return main.replaceChildren(element('div', { class: 'sign-in' },
      element('h1', {}, 'Sign in'),
      element('p', { class: 'notice bad', role: 'alert', hidden: !Object.hasOwn(problems, query.get('problem')) }, problems[query.get('problem')] ?? ''),
      element('p', { class: 'muted' }, 'You sign in on another page, and come back here afterwards.'),
      element('a', { class: 'button primary', href: `${signInAt}?${new URLSearchParams({ returnTo: returnAddress(query.get('return')) })}` }, 'Continue to sign in')));
  const problem = element('p', { class: 'notice bad', role: 'alert', hidden: true });
  const signIn = async (name, roles) => {
    try {
      await enter(name, roles);
      go(returnAddress(query.get('return')), { replace: true });
    } catch (failure) {
      problem.textContent = failure.message;
      problem.hidden = false;
    }
  };
  main.replaceChildren(element('div', { class: 'sign-in' },
    element('h1', {}, 'Who are you?'),
    element('p', { class: 'muted' }, 'This shop runs in Development, so there are no passwords. Choose somebody.'),
    problem,
    element('ul', { class: 'people' }, ...people.map(([name, label, role, roles], index) =>
      element('li', {}, element('button', { class: 'person', type: 'button', onclick: () => signIn(name, roles) },
        element('span', { class: `avatar avatar-${index + 1}`, 'aria-hidden': 'true' }, label[0]),
        element('span', {}, element('strong', {}, label), element('span', { class: 'small muted' }, role))))))));
}

/** An address of this shop's, whatever the link said. */
function returnAddress(wanted) {
  try {
    const address = new URL(wanted ?? '/', location.origin);
    // a path that begins with two slashes would itself be read as another host's address
    return address.origin === location.origin ? `/${address.pathname.replace(/^[/\\]+/, '')}${address.search}` : '/';
  } catch {
    return '/';
  }
}
