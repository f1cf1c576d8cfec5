// Faults: what an operator can have go wrong, in Development.
import { element } from '../../shared/dom.js';
import { freshness, poll } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { head, panel, skeleton } from '../parts.js';

const seconds = 3;
const paces = [[0, 'as quick as the token says'], [1, '1 s'], [3, '3 s'], [10, '10 s'], [30, '30 s']];
const tokens = [['tok_declined', 'is declined'], ['tok_slow', 'is answered after 3 s'], ['tok_flaky', 'fails with 500 twice, then is authorised'], ['tok_silent', 'is never answered']];

export default async function showFaults({ main, signal, title, announce }) {
  title('Faults');
  const live = freshness();
  const message = element('div', { role: 'status' });
  const box = element('div', {}, skeleton(4));
  main.replaceChildren(head('Faults', live.node), element('p', { class: 'muted' }, 'Have something go wrong, and see what the shop does then. In Development only.'),
    element('div', { class: 'columns' }, panel('Payment provider', message, box), panel('A single payment', element('p', {}, 'The token of an order’s means of payment decides, at check-out:'),
      element('dl', { class: 'facts' }, ...tokens.flatMap(([token, what]) => [element('dt', {}, element('code', {}, token)), element('dd', {}, what)]))),
    panel('A whole part', element('p', {}, 'Parts are stopped and started in Aspire’s dashboard, or here:'), element('pre', {}, 'dotnet aspire resource payments stop\ndotnet aspire resource payments start'))));

  let known;
  const set = async pace => {
    try {
      show(await operations.setProviderPace(pace));
      message.replaceChildren();
      announce(`Authorisations take ${paces.find(([value]) => value === pace)[1]}`);
    } catch (problem) {
      message.replaceChildren(element('p', { class: 'notice warn' }, problem.message));
    }
  };
  const show = value => {
    if (JSON.stringify(value) === known)
      return;
    known = JSON.stringify(value);
    if (value === null) {
      box.replaceChildren(element('p', { class: 'muted' }, 'It cannot be switched here: that is for shops in Development.'));
      return;
    }
    box.replaceChildren(element('p', { class: `notice ${value.answerDelaySeconds > 0 ? 'warn' : 'good'}` }, value.answerDelaySeconds > 0 ? `On: every authorisation takes ${value.answerDelaySeconds} s at least.` : 'Off: authorisations take as long as their token says.'),
      element('fieldset', { class: 'fields' }, element('legend', { class: 'label' }, 'Every authorisation takes at least'),
        element('div', { class: 'actions' }, ...paces.map(([pace, text]) => element('button', { class: 'button', type: 'button', 'aria-pressed': String(pace === value.answerDelaySeconds), onclick: () => set(pace) }, text)))));
  };
  await poll(operations.providerPace, {
    signal, seconds, onProblem: problem => {
      live.isStale(problem);
      message.replaceChildren(element('p', { class: 'notice bad' }, problem.message));
    },
    onValue(value) {
      if (live.node.dataset.state === 'cut')
        message.replaceChildren();
      live.isTrue();
      show(value);
    },
  });
}
