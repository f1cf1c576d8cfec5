// The gateway's API. Who is signed in is told by a cookie that scripts cannot read; the header says that this page of the shop asks.

/** An answer that is an error: its ProblemDetails (RFC 9457) and status; 0 where there was no answer. */
export class Problem extends Error {
  constructor(status, details) {
    super(details?.detail ?? details?.title ?? `The shop answered ${status}.`);
    this.status = status;
    this.title = details?.title ?? 'Error';
    this.errors = details?.errors ?? {};
    this.details = details ?? {};
  }
}

/** Tells by `waiting` (detail: the Problem and the seconds) that a request is tried again, and by `answered` that it need not be any more. */
export const connection = new EventTarget();

const mostTries = 8;
const longestWaitSeconds = 15;

export const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const end = () => { clearTimeout(timer); reject(signal.reason); };
  const timer = setTimeout(() => { signal?.removeEventListener('abort', end); resolve(); }, seconds * 1000);
  signal?.addEventListener('abort', end, { once: true });
});

/**
 * The response, where it is a good one. What the shop is too busy for, or not there for, is tried again after the time that it says,
 * where asking twice is harmless: a GET, or a request with an idempotency key.
 */
async function request(method, path, { body, headers = {}, signal, isRepeatable = method === 'GET' || 'idempotency-key' in headers } = {}) {
  for (let tries = 1; ; tries++) {
    try {
      const response = await requestOnce(method, path, body, headers, signal);
      connection.dispatchEvent(new Event('answered'));
      return response;
    } catch (problem) {
      if (!(problem instanceof Problem) || signal?.aborted)
        throw problem;
      const isPassing = problem.status === 429 || isRepeatable && (problem.status === 503 || problem.status === 0);
      if (!isPassing || tries === mostTries) {
        connection.dispatchEvent(new Event('answered'));
        throw problem;
      }
      const seconds = Math.min(problem.retryAfter ?? 2 ** (tries - 1), longestWaitSeconds);
      connection.dispatchEvent(new CustomEvent('waiting', { detail: { problem, seconds } }));
      await pause(seconds, signal);
    }
  }
}

async function requestOnce(method, path, body, headers, signal) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        accept: 'application/json',
        ...(method !== 'GET' && { 'x-anti-forgery': '1' }),
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body && JSON.stringify(body),
      signal,
    });
  } catch (failure) {
    if (signal?.aborted)
      throw failure;
    throw new Problem(0, { title: 'The shop cannot be reached', detail: 'The shop cannot be reached. Is it running?' });
  }
  if (response.ok)
    return response;
  const problem = new Problem(response.status, isJson(response) ? await response.json() : null);
  problem.retryAfter = Number(response.headers.get('retry-after')) || undefined;
  throw problem;
}

const isJson = response => response.headers.get('content-type')?.includes('json');

/** Asks the API: the answer's JSON, or null where it has none. */
export const send = async (...all) => {
  const response = await request(...all);
  return isJson(response) ? await response.json() : null;
};

/** Values as a query string, without those that are empty. */
export const query = values => new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();

/** A page of the catalogue: `{items, next}`. */
export const catalog = (search, after, signal) => send('GET', `/api/catalog?${query({ search, after, limit: 60 })}`, { signal });

/** A product with what is available of it; null where there is none of that sku. */
export const product = (sku, signal) => send('GET', `/api/catalog/${encodeURIComponent(sku)}`, { signal }).catch(nullWhereUnknown);

/** An idempotency key. A browser has no randomUUID for pages that came over plain http. */
export const newKey = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');

/** Submits an order; `key` makes a repeated submit harmless. */
export const submitOrder = (order, key) => send('POST', '/api/orders', { body: order, headers: { 'idempotency-key': key } });

/** A page of one's own orders, newest first. */
export const orders = (status, after, signal) => send('GET', `/api/orders?${query({ status, after, limit: 20 })}`, { signal });

export const order = (id, signal) => send('GET', `/api/orders/${encodeURIComponent(id)}`, { signal }).catch(nullWhereUnknown);

/** Asks for its cancellation; the order's events tell whether it came to that. */
export const cancelOrder = id => send('POST', `/api/orders/${encodeURIComponent(id)}/cancel`, { isRepeatable: true });

/** Every event of the order so far, from all services; none yet while Activity has not seen the first one. */
export const timeline = async (id, signal) => await send('GET', `/api/orders/${encodeURIComponent(id)}/timeline`, { signal }).catch(nullWhereUnknown) ?? [];

/** An open stream of the order's events after the one with the id `last`; null where the order has ended and there are none. */
export async function orderStream(id, last, signal) {
  const headers = { accept: 'text/event-stream', ...(last && { 'last-event-id': last }) };
  const response = await requestOnce('GET', `/api/orders/${encodeURIComponent(id)}/stream`, undefined, headers, signal);
  return response.status === 204 ? null : response.body;
}

/** An open stream of server-sent events that has no end of its own. */
export const openStream = async (path, signal) => (await requestOnce('GET', path, undefined, { accept: 'text/event-stream' }, signal)).body;

/** `{name, roles, signInAt}`; the name is null where nobody is signed in, `signInAt` only there where an authority signs people in. */
export const session = () => send('GET', '/api/session');

export const signIn = (name, roles) => send('POST', '/api/session', { body: { name, roles }, isRepeatable: true });

/** `{endSessionAt}` where the browser is to go there to be signed out at the authority too, else null. */
export const signOut = () => send('DELETE', '/api/session', { isRepeatable: true });

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
  // once and without a word: nobody waits for it
  requestOnce('POST', '/api/activity', some, {}).catch(() => {});
}

function nullWhereUnknown(problem) {
  if (problem.status === 404)
    return null;
  throw problem;
}
