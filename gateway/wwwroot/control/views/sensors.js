// Sensors with their state, and alarms of all services.
import { clock, count, element, timeAgo } from '../../shared/dom.js';
import { freshness, poll, settled } from '../../shared/live.js';
import * as operations from '../../shared/operations.js';
import { choices, empty, head, panel, serviceBadge, table } from '../parts.js';

const seconds = 2, mostAlarms = 200, mostSensors = 1000;

/** "priceDiscrepancy" as people write it. */
const words = name => name.replace(/([A-Z])/g, ' $1').toLowerCase();

export default async function showSensors({ main, signal, query, title }) {
  title('Sensors');
  const live = freshness();
  const open = query.get('alarms') ?? '';
  const alarms = table('Alarms', [
    { label: 'State', of: alarm => element('span', { class: 'status', 'data-status': alarm.clearedAt ? 'quiet' : 'alarm' }, alarm.clearedAt ? 'over' : 'open') },
    { label: 'Kind', of: alarm => words(alarm.kind) },
    { label: 'About', of: alarm => element('code', {}, alarm.subject) },
    { label: 'Service', of: alarm => serviceBadge(alarm.service) },
    { label: 'Raised', of: alarm => timeAgo(alarm.raisedAt) },
    { label: 'Over', of: alarm => alarm.clearedAt ? timeAgo(alarm.clearedAt) : '' },
    { label: 'What was seen', kind: 'wide', of: alarm => alarm.detail },
  ], { key: alarm => alarm.id, empty: empty(open === 'all' ? 'There never was an alarm.' : 'No alarm is open. To see some:', open === 'all' ? '' : './shop devices --sensors 60 --minutes 2 --steal mug-blue:3 --heat 2 --silence 2') });
  const state = query.get('state') ?? '';
  const sensors = table('Sensors', [
    { label: 'Sensor', of: sensor => element('code', {}, sensor.sensor) },
    { label: 'State', of: sensor => element('span', { class: 'status', 'data-status': sensor.state }, sensor.state) },
    { label: 'Watches', of: sensor => sensor.sku ? element('a', { href: `/control/stock/${encodeURIComponent(sensor.sku)}` }, sensor.sku) : 'temperature' },
    { label: 'Last reading', kind: 'number', of: sensor => readingOf(sensor) },
    { label: 'Right is', kind: 'number', of: sensor => sensor.sku ? `${count(sensor.tareGrams)} g + ${count(sensor.unitGrams)} g a piece` : `${sensor.minCelsius} to ${sensor.maxCelsius} °C` },
    { label: 'Read at', of: sensor => sensor.lastReading ? clock(sensor.lastReading.at) : '' },
    { label: 'Heard', of: sensor => sensor.heardAt ? timeAgo(sensor.heardAt) : 'never' },
  ], { key: sensor => sensor.sensor, empty: empty(state ? 'No sensor is in this state.' : 'No sensor is registered. A fleet of simulated ones:', state ? '' : './shop devices --sensors 60 --minutes 5') });
  const counts = element('span', { class: 'muted number' }), alarmCounts = element('span', { class: 'muted number' });
  main.replaceChildren(head('Sensors and alarms', live.node),
    element('section', { class: 'panel', 'aria-labelledby': 'alarms-title' }, element('div', { class: 'panel-head' }, element('h2', { id: 'alarms-title' }, 'Alarms'), alarmCounts, choices('Which alarms', 'alarms', [['', 'open'], ['all', 'all']], query)), alarms.node),
    element('section', { class: 'panel', 'aria-labelledby': 'sensors-title' }, element('div', { class: 'panel-head' }, element('h2', { id: 'sensors-title' }, 'Sensors'), counts,
      choices('Which sensors', 'state', [['', 'all'], ['alarm', 'alarm'], ['silent', 'silent'], ['late', 'late'], ['waiting', 'waiting'], ['ok', 'ok']], query)), sensors.node));

  await poll(async signal => {
    const [read, raised] = await settled([operations.sensors({ limit: mostSensors }, signal), operations.alarms({ open: open === 'all' ? '' : 'true', limit: mostAlarms }, signal)]);
    if (read.status === 'rejected' && raised.status === 'rejected')
      throw read.reason;
    return { sensors: read.value?.items, areMore: read.value?.next, alarms: raised.value?.items, areMoreAlarms: raised.value?.next, problem: read.reason ?? raised.reason };
  }, {
    signal, seconds, onProblem: live.isStale,
    onValue(value) {
      value.problem ? live.isStale(value.problem) : live.isTrue();
      if (value.alarms) {
        alarms.show(value.alarms);
        alarmCounts.textContent = value.areMoreAlarms ? `the newest ${count(value.alarms.length)}: there are more` : '';
      }
      if (!value.sensors)
        return;
      sensors.show(value.sensors.filter(sensor => !state || sensor.state === state));
      const ok = value.sensors.filter(sensor => sensor.state === 'ok').length;
      counts.textContent = value.sensors.length > 0 ? `${count(ok)} of ${value.areMore ? 'the first ' : ''}${count(value.sensors.length)} ok${value.areMore ? ': there are more, which are not shown' : ''}` : '';
    },
  });
}

function readingOf({ lastReading }) {
  if (!lastReading)
    return '';
  return lastReading.celsius !== null && lastReading.celsius !== undefined ? `${lastReading.celsius.toFixed(1)} °C` : `${count(Math.round(lastReading.weightGrams))} g`;
}
