// An order's events as a sequence over the services: real time goes down the page, each event is an arrow from what caused it.
import { element, svg } from '../shared/dom.js';
import { eventName, publisherOf } from './parts.js';

const known = ['orders', 'inventory', 'payments'];
const labelWidth = 104, laneWidth = 250, rowHeight = 50, mostGap = 30;

/** The picture; `onChoose` is told which event somebody wants to see, and `chosen` is the id of the one that is. */
export function sequence(events, chosen, onChoose) {
  const lanes = [...known, ...new Set(events.map(publisherOf).filter(service => !known.includes(service)))];
  const width = labelWidth + lanes.length * laneWidth;
  const x = service => labelWidth + (lanes.indexOf(service) + .5) * laneWidth;
  const byId = new Map(events.map(event => [event.id, event]));
  const first = Date.parse(events[0].at);
  let y = 10;
  const steps = events.map((event, index) => {
    const before = index === 0 ? 0 : Date.parse(event.at) - Date.parse(events[index - 1].at);
    // a gap as long as the time, in as much room as there is: a second is seen to be longer than a millisecond
    y += index === 0 ? 0 : rowHeight + Math.min(mostGap, Math.log10(1 + Math.max(0, before)) * 10);
    return { event, y };
  });
  const height = y + rowHeight + 6;
  const places = new Map(steps.map(step => [step.event.id, step.y]));
  const arrows = steps.map(({ event, y }) => {
    const service = publisherOf(event), cause = byId.get(event.causationId);
    const from = cause ? publisherOf(cause) : null;
    const to = x(service), middle = y + rowHeight / 2;
    // a lane of its own for what comes to itself
    const path = !from ? `M${labelWidth - 6} ${middle}H${to - 7}`
      : from === service ? `M${to + 5} ${places.get(cause.id) + rowHeight / 2}C${to + 34} ${places.get(cause.id) + rowHeight / 2 + 4} ${to + 34} ${middle - 4} ${to + 8} ${middle}`
      : `M${x(from)} ${places.get(cause.id) + rowHeight / 2}C${x(from)} ${middle} ${x(from) + (to - x(from)) * .3} ${middle} ${to + (to > x(from) ? -8 : 8)} ${middle}`;
    return svg('path', { class: 'arrow', 'data-service': service, d: path, 'stroke-opacity': event.id === chosen || !chosen ? .9 : .35 });
  });
  const nodes = steps.map(({ event, y }) => {
    const service = publisherOf(event), at = x(service), middle = y + rowHeight / 2;
    const isRightmost = lanes.indexOf(service) === lanes.length - 1;
    const label = { x: isRightmost ? at - 14 : at + 14, 'text-anchor': isRightmost ? 'end' : 'start' };
    const since = Date.parse(event.at) - first;
    const time = since === 0 ? new Date(event.at).toLocaleTimeString('en-GB') : `+${since.toLocaleString('en')} ms`, where = `${event.topic}/${event.partition}@${event.offset}`;
    const choose = () => onChoose(event);
    return svg('g', { class: 'step', 'data-service': service, 'data-event': event.id, tabindex: 0, role: 'button', 'aria-pressed': String(event.id === chosen),
      'aria-label': `${time} ${eventName(event.type)} ${where}, ${service}`, onclick: choose, onkeydown: key => {
        if (key.key === 'Enter' || key.key === ' ') {
          key.preventDefault();
          choose();
        }
      } },
    svg('rect', { class: 'ground', x: 0, y: y + 2, width, height: rowHeight - 4, rx: 6 }),
    svg('text', { class: 'at', x: 4, y: middle + 4 }, time), ' ',
    svg('circle', { class: 'tip', cx: at, cy: middle, r: 6 }),
    svg('text', { class: 'label', ...label, y: middle - 8 }, eventName(event.type)), ' ',
    svg('text', { class: 'where', ...label, y: middle + 18 }, where));
  });
  return element('div', { class: 'sequence' },
    svg('svg', { viewBox: `0 0 ${width} ${height + 30}`, role: 'group', 'aria-label': `${events.length} events in their order` },
      ...lanes.map(service => svg('g', { 'data-service': service },
        svg('rect', { class: 'tip', x: x(service) - 46, y: 4, width: 8, height: 8, rx: 2 }), svg('text', { class: 'label', x: x(service) - 33, y: 13 }, service),
        svg('line', { class: 'lane', x1: x(service), x2: x(service), y1: 24, y2: height + 24 }))),
      svg('g', { transform: 'translate(0 24)' }, ...arrows, ...nodes)));
}
