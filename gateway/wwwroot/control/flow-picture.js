// The picture: services that publish, topics, consumer groups; every event travels along its way.
import { count, svg } from '../shared/dom.js';
import { publisherOf } from './parts.js';

const width = 1120, rowHeight = 40, top = 34, nodeHeight = 30;
const columns = { gateway: { x: 6, width: 122 }, service: { x: 176, width: 200 }, topic: { x: 446, width: 190 }, group: { x: 830, width: 280 } };
const travelMilliseconds = 900, mostDots = 60;
const order = ['orders', 'inventory', 'payments', 'activity'];
const byOrder = name => (order.indexOf(name) + 1 || order.length + 1);

/** Draws into `node`; `onChoose(kind, name)` is told which part somebody wants to know more about. */
export function flowPicture(node, onChoose) {
  const edges = svg('g', { class: 'edges' }), dots = svg('g', { class: 'dots' }), nodes = svg('g', { class: 'nodes' });
  const picture = svg('svg', { class: 'flow', role: 'group', 'aria-label': 'The flow of events: services, topics and consumer groups' }, edges, dots, nodes);
  node.append(picture);
  const paths = new Map(), parts = new Map();
  let layout = '';
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)');

  return {
    /** Draws the flow as it is. */
    show(flow, chosen) {
      const next = JSON.stringify([flow.services.map(({ service }) => service), flow.topics.map(({ topic, publishers }) => [topic, publishers]), flow.groups.map(({ group, topics }) => [group, topics.map(({ topic }) => topic)])]);
      if (next !== layout) {
        layout = next;
        draw(flow);
      }
      update(flow, chosen);
    },
    /** Lets an event travel: from its service to its topic, and on to each group that reads it. */
    travel(event) {
      if (isCalm.matches || dots.childElementCount > mostDots)
        return;
      const service = publisherOf(event);
      const first = paths.get(`${service}>${event.topic}`);
      if (!first)
        return;
      move(first, service, () => {
        for (const [name, path] of paths) {
          if (name.startsWith(`${event.topic}>>`))
            move(path, service);
        }
      });
    },
  };

  function draw(flow) {
    const services = flow.services.filter(({ service }) => service !== 'gateway').sort((a, b) => byOrder(a.service) - byOrder(b.service));
    const topics = [...flow.topics].sort((a, b) => byOrder(a.publishers.length > 1 ? '' : a.publishers[0]) - byOrder(b.publishers.length > 1 ? '' : b.publishers[0]));
    const groups = [...flow.groups].sort((a, b) => byOrder(a.service) - byOrder(b.service));
    const rows = Math.max(topics.length, groups.length, 4);
    const height = top + rows * rowHeight + 10;
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    paths.clear();
    parts.clear();
    edges.replaceChildren();
    nodes.replaceChildren(...[['service', 'services'], ['topic', 'topics, events a minute'], ['group', 'consumer groups, lag']].map(([column, text]) =>
      svg('text', { class: 'column', x: columns[column].x, y: 18 }, text)));
    const middles = { service: spread(services.length, rows), topic: spread(topics.length, rows), group: spread(groups.length, rows) };
    const middle = top + rows * rowHeight / 2;
    add('service', 'gateway', 'gateway', columns.gateway, middle);
    services.forEach(({ service }, index) => {
      add('service', service, service, columns.service, middles.service[index]);
      edge(`request ${service}`, service, columns.gateway.x + columns.gateway.width, middle, columns.service.x, middles.service[index], 'request');
    });
    topics.forEach(({ topic, publishers }, index) => {
      add('topic', topic, publishers.length > 1 ? '' : publishers[0], columns.topic, middles.topic[index]);
      for (const publisher of publishers)
        edge(`${publisher}>${topic}`, publisher, columns.service.x + columns.service.width, middles.service[services.findIndex(({ service }) => service === publisher)], columns.topic.x, middles.topic[index]);
    });
    groups.forEach(({ group, service, topics: read }, index) => {
      add('group', group, service, columns.group, middles.group[index]);
      for (const { topic } of read) {
        const from = topics.findIndex(one => one.topic === topic);
        if (from >= 0)
          edge(`${topic}>>${group}`, service, columns.topic.x + columns.topic.width, middles.topic[from], columns.group.x, middles.group[index]);
      }
    });
  }

  function spread(count, rows) {
    const step = rows * rowHeight / count;
    return Array.from({ length: count }, (_, index) => top + step * (index + .5));
  }

  function add(kind, name, hue, column, middle) {
    const label = svg('text', { class: 'node-name', x: column.x + 12, y: middle + 4 }, name);
    const value = svg('text', { class: 'node-value', x: column.x + column.width - 12, y: middle + 4, 'text-anchor': 'end' });
    const ring = svg('rect', { class: 'ring', x: column.x - 3, y: middle - nodeHeight / 2 - 3, width: column.width + 6, height: nodeHeight + 6, rx: 10 });
    const choose = () => onChoose(kind, name);
    const node = svg('g', { class: `node ${kind}`, 'data-service': hue, tabindex: 0, role: 'button', onclick: choose, onkeydown: event => {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        choose();
      }
    } }, ring, svg('rect', { class: 'box', x: column.x, y: middle - nodeHeight / 2, width: column.width, height: nodeHeight, rx: kind === 'topic' ? 15 : 7 }),
    svg('rect', { class: 'mark', x: column.x, y: middle - nodeHeight / 2, width: 4, height: nodeHeight, rx: 2 }), label, ' ', value);
    parts.set(`${kind}:${name}`, { node, value });
    nodes.append(node);
  }

  function edge(name, hue, x1, y1, x2, y2, kind = '') {
    const bend = (x2 - x1) / 2;
    const path = svg('path', { class: `edge ${kind}`, 'data-service': hue, d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` });
    paths.set(name, path);
    edges.append(path);
  }

  function update(flow, chosen) {
    for (const service of flow.services) {
      const waiting = (service.outbox?.depth ?? 0) > 0 ? `outbox ${count(service.outbox.depth)}` : '';
      const says = service.state === 'up' ? waiting || (service.deadLetters ? `${count(service.deadLetters)} dead` : 'up') : service.state;
      tell(`service:${service.service}`, says, service.state === 'away' ? 'bad' : service.state === 'degraded' || service.deadLetters || service.outbox?.refused ? 'warn' : 'good', 'service', chosen);
    }
    for (const topic of flow.topics) {
      tell(`topic:${topic.topic}`, count(topic.lastMinute), '', 'events in the last minute', chosen);
      for (const [name, path] of paths) {
        if (name.endsWith(`>${topic.topic}`) || name.startsWith(`${topic.topic}>>`))
          path.style.strokeWidth = `${Math.min(6, 1 + Math.log2(1 + topic.lastMinute) / 2)}`;
      }
    }
    for (const group of flow.groups)
      tell(`group:${group.group}`, group.deadLetters ? `${count(group.deadLetters)} dead` : group.lag === null ? 'lag unknown' : `lag ${count(group.lag)}`,
        group.deadLetters ? 'bad' : group.lag > 0 ? 'warn' : '', 'consumer group', chosen);
  }

  function tell(name, text, state, what, chosen) {
    const part = parts.get(name);
    if (!part)
      return;
    // begins with what is to be read in the picture
    const description = `${name.slice(name.indexOf(':') + 1)} ${text}, ${what}`;
    if (part.value.textContent !== text)
      part.value.textContent = text;
    part.node.dataset.state = state;
    part.node.setAttribute('aria-label', description);
    part.node.setAttribute('aria-pressed', String(name === chosen));
  }

  function move(path, hue, then) {
    const begin = path.getPointAtLength(0);
    const dot = svg('circle', { class: 'dot', r: 4.5, cx: begin.x, cy: begin.y, 'data-service': hue });
    dots.append(dot);
    const length = path.getTotalLength();
    const start = performance.now();
    const step = now => {
      const done = Math.min(1, (now - start) / travelMilliseconds);
      const at = path.getPointAtLength(length * (done < .5 ? 2 * done * done : 1 - (2 - 2 * done) ** 2 / 2));
      dot.setAttribute('cx', at.x);
      dot.setAttribute('cy', at.y);
      if (done < 1 && path.isConnected)
        return requestAnimationFrame(step);
      dot.remove();
      then?.();
    };
    requestAnimationFrame(step);
  }
}
