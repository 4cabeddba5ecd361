// Getting in: a one-time link, the code, or what this device keeps, shown at the host's door until somebody answers.

import { device, forgetDevice, guestName, keepDevice, keepName, keepSecret } from './access.js';
import { setText } from './face.js';

const POLL_MS = 800;
const KNOCK_MS = 6000;
const NO_ANSWER = 'The host does not answer. Try it again in a moment.';
const byId = (id) => document.getElementById(id);

/** The way in, from the first word to the host's answer. */
export class Entrance {
  #events;
  #turn = 0; // a later attempt ends an earlier one
  #deviceTried = false;
  /** What is going on, for the person; empty while nothing is. */
  waiting = '';

  /**
   * @param {object} events
   * @param {() => void} events.onIn this page has a session now
   * @param {(reason: string) => void} events.onRefused
   * @param {() => void} events.onChange
   */
  constructor(events) {
    this.#events = events;
  }

  /** Shows what this device was given to keep, at most once a page. @returns {boolean} whether there is anything */
  tryDevice() {
    if (this.#deviceTried || !device()) return false;
    this.#deviceTried = true;
    this.knock({ device: device() });
    return true;
  }

  /** @param {{token?: string, code?: string, device?: string, role?: string, name?: string}} shown */
  async knock(shown) {
    const turn = ++this.#turn;
    this.#say('Knocking…');
    if (shown.name !== undefined) keepName(shown.name);
    const body = JSON.stringify({ name: guestName(), ...shown });
    let answer = await this.#ask('/api/v1/enter', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    while (turn === this.#turn && answer?.state === 'waiting') {
      this.#say('The person at the other computer is asked whether you may come in. No answer within half a minute is a no.');
      await new Promise((done) => setTimeout(done, POLL_MS));
      if (turn !== this.#turn) return;
      // One that got lost on the way is asked again; the host forgets a page that is silent for ten seconds.
      answer = (await this.#ask(`/api/v1/enter/${encodeURIComponent(answer.id)}`)) ?? answer;
    }
    if (turn !== this.#turn) return;
    this.#say('');
    if (answer?.state === 'in') {
      keepSecret(answer.session);
      this.#deviceTried = false;
      if (answer.device) keepDevice(answer.device);
      this.#events.onIn();
      return;
    }
    if (shown.device && answer?.refused) forgetDevice();
    this.#events.onRefused(answer?.refused ?? NO_ANSWER);
  }

  /** The host's answer; null where none came. */
  async #ask(path, options = {}) {
    try {
      const response = await fetch(path, { cache: 'no-store', ...options, signal: AbortSignal.timeout(KNOCK_MS) });
      const answer = await response.json();
      return response.ok ? answer : { refused: String(answer.detail ?? 'You were not let in.') };
    } catch {
      return null;
    }
  }

  #say(text) {
    this.waiting = text;
    byId('door').hidden = !text;
    setText(byId('door-text'), text);
    this.#events.onChange();
  }
}
