// Pointer events where there is no data channel: small POSTs, one after the other.

import { ask, headers } from './http.js';

const PATH = '/api/v1/pointer';
const BATCH = 64; // the host takes no more at once
const HELD_MS = 300; // the host lets go after a second without a request

/** Sends events in order: one request is under way at a time, what happens meanwhile goes with the next. */
export class PointerPost {
  #session = randomName();
  #queue = [];
  #busy = false;
  #heldTimer = 0;
  #held = false;
  #epoch = null;
  #closed = false;
  #seq = 0;

  /** @param {(allowed: boolean) => void} onAllowed whether the host took the last request */
  constructor(onAllowed) {
    this.onAllowed = onAllowed;
  }

  /** @param {object} event an EVENT of the protocol, without its `seq` */
  send(event) {
    if (this.#closed) return;
    this.#epoch = event.epoch;
    // Of moves in a row only where they ended matters.
    if (event.kind === 'move' && this.#queue.at(-1)?.kind === 'move') this.#queue.pop();
    this.#queue.push(event);
    if (event.kind === 'release' && document.hidden) this.#lastWord();
    else this.#flush();
  }

  setHeld(held) {
    clearInterval(this.#heldTimer);
    this.#held = held;
    if (held) this.#heldTimer = setInterval(() => this.#flush(true), HELD_MS);
  }

  close() {
    if (this.#closed) return;
    clearInterval(this.#heldTimer);
    // The stream broke, or the page goes, with a button down: sooner than the host would notice.
    if (this.#held) this.#queue.push({ kind: 'release', epoch: this.#epoch, t: performance.now() });
    this.#lastWord();
    this.#closed = true;
  }

  async #flush(evenEmpty = false) {
    if (this.#busy || this.#closed || !(this.#queue.length || evenEmpty)) return;
    this.#busy = true;
    try {
      await ask(PATH, post(this.#session, this.#number(this.#queue.splice(0, BATCH))), 2000);
      this.onAllowed(true);
    } catch (error) {
      // Old clicks must not come all at once when the host is back: what waited is void.
      this.#queue = [];
      if (error.kind === 'refused' || error.kind === 'secret') this.onAllowed(false);
    }
    this.#busy = false;
    this.#flush();
  }

  /** Numbered when they leave, so that moves which were overtaken leave no gap. */
  #number(events) {
    return events.map((event) => ({ ...event, seq: this.#seq++ }));
  }

  /** The page may be gone in a moment: send all, without waiting for anything. */
  #lastWord() {
    const events = this.#number(this.#queue.splice(0).slice(-BATCH));
    if (events.length) fetch(PATH, post(this.#session, events, headers)).catch(() => {});
  }
}

/** `keepalive`, so that a release gets there though the page is going away. */
function post(session, events, complete = (more) => more) {
  return { method: 'POST', keepalive: true, body: JSON.stringify({ session, events }), headers: complete({ 'Content-Type': 'application/json' }) };
}

/** `crypto.randomUUID` exists in secure contexts only, this does everywhere. */
function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
