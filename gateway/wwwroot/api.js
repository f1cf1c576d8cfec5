// The gateway's API, with a development token for the name of the shopper.

/** An answer that is an error: its ProblemDetails (RFC 9457) and status. */
export class Problem extends Error {
  constructor(status, details) {
    super(details?.detail ?? details?.title ?? `The shop answered ${status}.`);
    this.status = status;
    this.title = details?.title ?? 'Error';
    this.detail = details?.detail;
    this.errors = details?.errors ?? {};
  }
}

// one for each shopper; outlives a reload and ends with the tab
const storageKey = name => `shop.token.${name}`;

export function shopper() {
  return sessionStorage.getItem('shop.name') ?? 'ada';
}

/** From now on it is `name` who shops. */
export async function signIn(name) {
  sessionStorage.setItem('shop.name', name);
  await token();
}

async function token() {
  const name = shopper();
  const kept = JSON.parse(sessionStorage.getItem(storageKey(name)) ?? 'null');
  if (kept && kept.until > Date.now())
    return kept.token;
  const answer = await send('POST', '/api/dev/token', { body: { name } }).catch(problem => {
    throw problem.status === 404
      ? new Problem(404, { title: 'Nobody can sign in here', detail: 'Tokens for any name are handed out in Development only.' })
      : problem;
  });
  // a minute early: what is on its way must arrive in time
  const until = Date.now() + (answer.expires_in - 60) * 1000;
  sessionStorage.setItem(storageKey(name), JSON.stringify({ token: answer.access_token, until }));
  return answer.access_token;
}

/** The response, where it is a good one. */
async function request(method, path, { body, headers = {}, signal } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...headers },
      body: body && JSON.stringify(body),
      signal,
    });
  } catch {
    throw new Problem(0, { title: 'The shop cannot be reached', detail: 'Is it running?' });
  }
  if (!response.ok)
    throw new Problem(response.status, isJson(response) ? await response.json() : null);
  return response;
}

const isJson = response => response.headers.get('content-type')?.includes('json');

async function answerOf(response) {
  return isJson(response) ? await response.json() : null;
}

const send = async (...all) => answerOf(await request(...all));

async function requestSigned(method, path, { headers, ...rest } = {}) {
  const withToken = async () => request(method, path, { ...rest, headers: { ...headers, authorization: `Bearer ${await token()}` } });
  try {
    return await withToken();
  } catch (problem) {
    // the shop was reset and has a new key: the kept token is worth nothing
    if (problem.status !== 401)
      throw problem;
    sessionStorage.removeItem(storageKey(shopper()));
    return await withToken();
  }
}

const sendSigned = async (...all) => answerOf(await requestSigned(...all));

/** All products, page by page. */
export async function catalog() {
  const items = [];
  for (let after = ''; after !== null;) {
    const page = await send('GET', `/api/catalog?limit=100${after && `&after=${encodeURIComponent(after)}`}`);
    items.push(...page.items);
    after = page.next ?? null;
  }
  return items;
}

const noticeMilliseconds = 1000;
let noticed = [];

/** Tells the shop what its visitor does, as `{type: 'ProductViewed', sku}`: soon, and it does not matter whether it arrives. */
export function notice(...events) {
  if (noticed.length === 0)
    setTimeout(tellNoticed, noticeMilliseconds);
  noticed.push(...events);
}

function tellNoticed() {
  const some = noticed.splice(0, 100);
  if (noticed.length > 0)
    setTimeout(tellNoticed, noticeMilliseconds);
  send('POST', '/api/activity', { body: some }).catch(() => {});
}

/** `{sku, onHand, reserved, available, dispatched}` of one product. */
export const stock = sku => send('GET', `/api/stock/${encodeURIComponent(sku)}`);

/** Submits an order; `key` makes a repeated submit harmless. */
export const submitOrder = (order, key) => sendSigned('POST', '/api/orders', { body: order, headers: { 'idempotency-key': key } });

export const order = id => sendSigned('GET', `/api/orders/${id}`);

const retryMilliseconds = 1000;

/**
 * Follows an order to its end: calls `onChange` for each of its events, once and in order. What cuts the stream is told to `onCut`, and the stream
 * taken up again after the last event that was seen. Returns when the order has ended, or `signal` says so.
 */
export async function follow(id, { signal, onChange, onCut }) {
  for (let last = null; !signal.aborted;) {
    try {
      // fetch rather than EventSource, which cannot send a token
      const headers = { accept: 'text/event-stream', ...(last && { 'last-event-id': last }) };
      const response = await requestSigned('GET', `/api/orders/${id}/stream`, { headers, signal });
      if (response.status === 204)
        return;
      for await (const event of serverSentEvents(response.body)) {
        last = event.id;
        onChange(JSON.parse(event.data));
      }
    } catch (problem) {
      if (signal.aborted)
        return;
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429)
        throw problem;
      onCut(problem);
      await new Promise(resolve => setTimeout(resolve, retryMilliseconds));
    }
  }
}

/** The events of a stream, their ids and data: as much of the HTML Standard's section 9.2.6 as the shop makes use of. */
async function* serverSentEvents(body) {
  let event = { id: null, data: [] };
  let rest = '';
  for await (const text of chunks(body)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data: '))
        event.data.push(line.slice('data: '.length));
      else if (line.startsWith('id: '))
        event.id = line.slice('id: '.length);
      else if (line === '' && event.data.length > 0) {
        yield { id: event.id, data: event.data.join('\n') };
        event = { id: event.id, data: [] };
      }
    }
  }
}

/** Not every browser can iterate over a stream itself. */
async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
    yield chunk.value;
}

/** Every event of the order so far, in its order; none yet while Activity has not seen the first one. */
export async function timeline(id) {
  try {
    return await sendSigned('GET', `/api/orders/${id}/timeline`);
  } catch (problem) {
    if (problem.status === 404)
      return [];
    throw problem;
  }
}
