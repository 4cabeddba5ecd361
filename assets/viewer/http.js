// Requests to the host, and the one kind of error that the rest of the page understands.

import { secret } from './access.js';

/**
 * Why a session ended or could not begin.
 * - `secret`: the host wants another secret; trying again won't help
 * - `gone`: nobody answers
 * - `refused`: the host answered no; another transport may be let in
 * - `no_picture`: connected or not, nothing came to be shown
 * - `lost`: it worked and then broke
 */
export class Failure extends Error {
  /**
   * @param {'secret'|'gone'|'refused'|'no_picture'|'lost'} kind
   * @param {string} message one sentence for the person who watches
   * @param {number} [retryAfterMs] how long the host asked to wait
   */
  constructor(kind, message, retryAfterMs = 0) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The headers every request carries: the secret, where there is one, and `more`. */
export function headers(more = {}) {
  return secret() ? { ...more, Authorization: `Bearer ${secret()}` } : more;
}

/**
 * Fetches, and turns every way of not succeeding into a {@link Failure}.
 * The time limit is for the answer's beginning, not for its body, so that it fits endless streams too.
 * @param {string} path
 * @param {RequestInit} [options] its `headers` get the secret added
 * @param {number} [limitMs]
 * @returns {Promise<Response>}
 */
export async function ask(path, options = {}, limitMs = 4000) {
  const cut = new AbortController();
  options.signal?.addEventListener('abort', () => cut.abort(), { once: true });
  const timer = setTimeout(() => cut.abort(), limitMs);
  let response;
  try {
    response = await fetch(path, {
      cache: 'no-store', redirect: 'follow', ...options, headers: headers(options.headers), signal: cut.signal,
    });
  } catch {
    throw new Failure('gone', 'The host does not answer.');
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return response;
  throw await refusal(response);
}

async function refusal(response) {
  let detail = '';
  try {
    if (/json/.test(response.headers.get('Content-Type') ?? '')) {
      const problem = await response.json();
      detail = String(problem.detail || problem.title || '');
    }
  } catch { /* a body that breaks off says nothing more than its status */ }
  const wait = Number(response.headers.get('Retry-After'));
  const retryAfterMs = wait > 0 ? wait * 1000 : 0;
  if (response.status === 401) return new Failure('secret', detail || 'The secret is missing or wrong.');
  if (response.status === 404) return new Failure('gone', 'There is no Lenscast at this address now.');
  return new Failure('refused', detail || `The host refused (${response.status}).`, retryAfterMs);
}
