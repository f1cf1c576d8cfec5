import { element } from './dom.js';

/** An input with its label and room for what is wrong with it; `name` is the field's name in the API's problem details. */
export function field(name, label, input) {
  input.id = `field-${name}`;
  input.name = name;
  input.setAttribute('aria-describedby', `error-${name}`);
  return element('div', { class: 'field' }, element('label', { for: input.id }, label), input, fieldError(name));
}

/** Room for what is wrong with the field `name`. */
export const fieldError = name => element('p', { class: 'field-error', id: `error-${name}`, 'data-error-of': name });

/** Takes back what `showProblem` showed. */
export function clearProblem(form) {
  form.querySelectorAll('[data-error-of]').forEach(room => room.textContent = '');
  form.querySelectorAll('[aria-invalid]').forEach(input => input.removeAttribute('aria-invalid'));
  form.querySelector('[data-problem]').hidden = true;
}

/** Says what was wrong: beside the field that it names, or else in the form's `[data-problem]`. */
export function showProblem(form, problem) {
  clearProblem(form);
  const elsewhere = [];
  let alone = null;
  for (const [name, messages] of Object.entries(problem.errors)) {
    const room = [...form.querySelectorAll('[data-error-of]')].find(room => name === room.dataset.errorOf || name.startsWith(`${room.dataset.errorOf}.`));
    if (!room) {
      elsewhere.push(`${name}: ${messages.join(' ')}`);
      continue;
    }
    const inputs = form.querySelectorAll(`[aria-describedby="${CSS.escape(room.id)}"]`);
    inputs.forEach(input => input.setAttribute('aria-invalid', 'true'));
    // no input leads to it: it speaks for itself
    if (inputs.length === 0) {
      room.setAttribute('role', 'alert');
      room.tabIndex = -1;
      alone ??= room;
    }
    room.textContent = messages.join(' ');
  }
  const box = form.querySelector('[data-problem]');
  const isNamed = Object.keys(problem.errors).length > 0 && elsewhere.length === 0;
  box.hidden = isNamed;
  box.textContent = isNamed ? '' : [problem.message, ...elsewhere].join(' ');
  // which brings it into view
  (form.querySelector('[aria-invalid]') ?? alone ?? box).focus();
}
