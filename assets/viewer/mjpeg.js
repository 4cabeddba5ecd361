// Plays over MJPEG: one endless answer of JPEG pictures, drawn on a canvas as they come.
// An <img> could not carry the secret, shows each frame one late and tells nothing about it.

import { CanvasSession } from './canvas.js';
import { ask, Failure, headers } from './http.js';
import { MultipartReader } from './multipart.js';
import { PointerPost } from './pointer-http.js';
import { secret } from './access.js';
import { bitrate } from './whep-stats.js';

const QUICK_PINGS = 5;

/** A session over MJPEG. */
export class MjpegSession extends CanvasSession {
  transport = 'mjpeg';
  #cut = new AbortController();
  #last = '';
  #post = new PointerPost((allowed) => { this.#mayPost = allowed; });
  #mayPost = true;
  #asking = false;

  /** @param {object} events see {@link Session} */
  constructor(events) {
    super(events);
    this.#read().catch((error) => this.fail(
      error instanceof Failure ? error : new Failure(this.live ? 'lost' : 'gone', 'The stream broke off.')));
    for (let i = 0; i < QUICK_PINGS; i++) this.after(i * 150, () => this.#ping());
    this.every(5000, () => this.#ping());
    this.#askState();
    this.every(1000, () => this.#eachSecond());
  }

  /** Whether a pointer event would reach a desktop now. Clicking always needs the secret, even where watching doesn't. */
  get canPoint() {
    return Boolean(this.host?.control && this.host.pointer && this.#mayPost && secret());
  }

  /** Whether a key would reach a desktop now. */
  get canType() {
    return Boolean(this.host?.keys && this.host.pointer && this.#mayPost && secret());
  }

  /** @param {object} event an EVENT of the protocol, without its `seq` */
  sendPointer(event) {
    this.#post.send(event);
  }

  setHeld(held) {
    this.#post.setHeld(held);
  }

  close() {
    if (this.closed) return;
    super.close();
    this.#post.close();
    this.#cut.abort();
  }

  async #read() {
    const response = await ask('/stream', { signal: this.#cut.signal });
    const reader = response.body.getReader();
    const parts = new MultipartReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Failure(this.live ? 'lost' : 'gone', 'The host ended the stream.');
      this.bytes += value.length;
      for (const part of parts.push(value)) this.#hear(part, performance.now());
    }
  }

  #hear({ headers: part, body }, arrivedAt) {
    this.heard();
    const frame = {
      body, arrivedAt,
      epoch: number(part.get('x-geometry')),
      capturedUs: (number(part.get('x-timestamp')) ?? NaN) * 1e6,
    };
    // The last frame of a burst comes twice, for other readers' sake; here once is enough.
    const name = [part.get('x-frame'), part.get('x-timestamp'), part.get('x-geometry'), body.length].join();
    if (part.has('x-frame') && name === this.#last) return;
    this.#last = name;
    this.take(frame);
  }

  #eachSecond() {
    const facts = [['Codec', 'JPEG, each picture by itself'], ['Bitrate', bitrate(this.bytes * 8)]];
    facts.push(['Frames too late', String(this.skipped)]);
    if (this.broken) facts.push(['Broken pictures', String(this.broken)]);
    this.facts = facts;
    this.bytes = 0;
    this.#askState();
  }

  async #askState() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const state = await (await ask('/state', {}, 2000)).json();
      if (this.closed) return;
      this.heard();
      const keys = Boolean(state.roles?.includes('type') ?? state.control);
      // After a refusal the host has to take control away and give it again.
      if (!state.control && !keys) this.#mayPost = true;
      this.host = {
        source: state.source?.name ?? '', width: state.picture?.width ?? 0, height: state.picture?.height ?? 0,
        fps: state.fps?.filtered ?? null, viewers: state.viewers?.length ?? null,
        control: Boolean(state.control), pointer: Boolean(state.geometry?.pointer), paused: Boolean(state.paused),
        keys, tune: Boolean(state.tune), chain: state.chain ?? 0,
        roles: state.roles,
      };
      this.events.onHost(this);
    } catch (error) {
      if (error.kind === 'secret') this.fail(error); // otherwise the stream itself shows how things stand
    } finally {
      this.#asking = false;
    }
  }

  async #ping() {
    const t0 = performance.now();
    try {
      const response = await fetch('/api/v1/clock', { headers: headers(), cache: 'no-store', signal: this.#cut.signal });
      const t3 = performance.now(); // the headers' arrival: the body only takes longer
      const { t_us: t } = await response.json();
      this.clock.add(t0, t, t, t3);
    } catch { /* no clock, no delay: it shows no number */ }
  }
}

function number(text) {
  const value = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
