// Which session is shown, which is being tried, and when to try again. Knows no page elements.

import { MjpegSession } from './mjpeg.js';
import { SocketSession } from './socket.js';
import { WhepSession } from './whep.js';

/** Every transport, the best first. @type {Transport[]} */
export const TRANSPORTS = ['webrtc', 'websocket', 'mjpeg'];
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 5000;
const MOST_ASKED_WAIT_MS = 10_000;
const SETTLED_MS = 3000; // a session that lived this long was a success, and the waits start over
const BETTER_FIRST_MS = 20_000;
const BETTER_LONGEST_MS = 120_000;

/** @typedef {'connecting'|'live'|'reconnecting'|'asleep'|'secret'} State */
/** @typedef {'webrtc'|'websocket'|'mjpeg'} Transport */
/** @typedef {'auto'|Transport} Choice */

/**
 * Keeps a picture coming. A session being tried never disturbs the one that is shown: it takes over with
 * its first picture.
 */
export class Player {
  /** @type {State} */
  state = 'connecting';
  /** Why there is no live picture; one sentence. */
  reason = '';
  /** Why it is not the best transport, where the person did not choose so. */
  fallback = '';
  /** @type {import('./session.js').Session|null} the live session */
  shown = null;
  #trial = null;
  #choice;
  #codec;
  #timer = 0;
  #betterTimer = 0;
  #betterWait = BETTER_FIRST_MS;
  #failures = 0;
  #begunAt = 0;
  #liveAt = 0;
  #quality = 'auto';
  #worked = new Set();
  #blocked = new Set();

  /**
   * @param {object} options
   * @param {Choice} options.choice
   * @param {string|undefined} options.codec forces a codec of WebRTC
   * @param {object} events
   * @param {() => void} events.onChange the state, or what is live, is another
   * @param {(session: object) => void} events.onTry a session begins; its element may be laid behind the picture
   * @param {(session: object, old: object|null) => void} events.onShow this session's picture replaces the other
   * @param {() => void} events.onHost the host said something about itself
   * @param {(text: string, serious: boolean) => void} events.onNotice
   * @param {(session: object) => void} events.onGone a session ended
   */
  constructor({ choice, codec }, events) {
    this.#choice = choice;
    this.#codec = codec;
    this.events = events;
  }

  /** What is being tried or shown. @returns {Transport} */
  get transport() {
    return (this.shown ?? this.#trial)?.transport ?? this.#pick();
  }

  get choice() {
    return this.#choice;
  }

  /** Another way of transport, or the same one again: forgets what failed, and tries now. @param {Choice} choice */
  choose(choice) {
    this.#choice = choice;
    this.#blocked.clear();
    this.#failures = 0;
    this.#betterWait = BETTER_FIRST_MS;
    this.fallback = '';
    clearTimeout(this.#timer);
    clearTimeout(this.#betterTimer);
    if (this.shown?.transport === this.#pick()) {
      this.#endTrial(); // it is what was asked for
      this.events.onChange();
    } else {
      this.#begin();
    }
  }

  get quality() {
    return this.#quality;
  }

  /** Which size the person wants, in this session and in those to come. @param {string} rung */
  chooseQuality(rung) {
    this.#quality = rung;
    this.shown?.setQuality(rung);
    this.#trial?.setQuality(rung);
  }

  /** Nobody looks: nothing is sent any more, and the last picture stays until somebody does. */
  sleep() {
    if (this.state === 'secret' || this.state === 'asleep') return;
    this.stop();
    this.state = 'asleep';
    this.reason = '';
    this.events.onChange();
  }

  /** Somebody looks again. */
  wake() {
    if (this.state !== 'asleep') return;
    this.state = 'reconnecting';
    this.#failures = 0;
    this.#begin();
  }

  /** The machine slept, or its network is another one: what seems live may be dead, and waiting has had its time. */
  doubt() {
    this.#failures = 0;
    if (this.shown) this.shown.doubt();
    else if (this.state === 'reconnecting') this.connect();
  }

  /** Begins, or tries again at once instead of waiting. */
  connect() {
    if (this.shown || this.state === 'asleep') return;
    if (this.#trial && performance.now() - this.#begunAt < 1000) return; // one has only just begun
    this.#begin();
  }

  /** Begins anew with another secret. */
  restart() {
    this.stop();
    this.state = 'connecting';
    this.reason = '';
    this.#failures = 0;
    this.#begin();
  }

  /** Ends everything; the host hears of it. */
  stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#betterTimer);
    this.#endTrial();
    const old = this.shown;
    this.shown = null;
    if (old) this.#end(old);
  }

  #pick() {
    if (this.#choice !== 'auto') return this.#choice;
    return TRANSPORTS.find((transport) => !this.#blocked.has(transport)) ?? TRANSPORTS.at(-1);
  }

  #begin(transport = this.#pick()) {
    clearTimeout(this.#timer);
    clearTimeout(this.#betterTimer);
    this.#endTrial();
    this.#begunAt = performance.now();
    if (this.state === 'secret') this.state = 'connecting';
    const events = {
      onPicture: (session) => this.#picture(session),
      onEnd: (session, why) => this.#ended(session, why),
      onHost: (session) => session === this.shown && this.events.onHost(),
      onNotice: (text, serious) => this.events.onNotice(text, serious),
    };
    const options = { codec: this.#codec, quality: this.#quality };
    if (transport === 'webrtc') this.#trial = new WhepSession(events, options);
    else if (transport === 'websocket') this.#trial = new SocketSession(events, options);
    else this.#trial = new MjpegSession(events);
    this.events.onTry(this.#trial);
    this.events.onChange();
  }

  #picture(session) {
    if (session !== this.#trial) return;
    this.#trial = null;
    const old = this.shown;
    this.shown = session;
    this.#liveAt = performance.now();
    this.state = 'live';
    this.reason = '';
    this.#worked.add(session.transport);
    this.#blocked.delete(session.transport);
    if (session.transport === TRANSPORTS[0]) {
      this.#betterWait = BETTER_FIRST_MS;
      this.fallback = '';
    } else {
      this.#seekBetter();
    }
    this.events.onShow(session, old);
    if (old) this.#end(old);
    this.events.onChange();
    this.events.onHost();
  }

  #ended(session, why) {
    const wasShown = session === this.shown;
    if (!wasShown && session !== this.#trial) return;
    if (wasShown) this.shown = null;
    else this.#trial = null;
    this.events.onGone(session);

    if (why.kind === 'secret') {
      this.stop();
      this.state = 'secret';
      this.reason = why.message;
    } else if (wasShown) {
      if (performance.now() - this.#liveAt > SETTLED_MS) this.#failures = 0;
      this.state = 'reconnecting';
      this.reason = why.message;
      if (!this.#trial) this.#wait(why, 0);
    } else if (this.shown) {
      // It was only a try beside a live picture; that one goes on.
      if (this.#choice !== 'auto') {
        this.#wait(why);
      } else {
        this.#fallBack(session.transport, why);
        const next = this.#pick();
        if (TRANSPORTS.indexOf(next) < TRANSPORTS.indexOf(this.shown.transport)) return this.#begin(next);
        this.#seekBetter();
      }
    } else if (session.transport !== TRANSPORTS.at(-1) && this.#choice === 'auto' && why.kind !== 'gone') {
      this.#fallBack(session.transport, why);
      this.reason = this.fallback;
      return this.#begin();
    } else {
      // What once worked has its chance again with the next round, and where all were refused, everything has.
      for (const transport of this.#worked) this.#blocked.delete(transport);
      if (why.kind === 'refused') this.#blocked.clear();
      this.state = 'reconnecting';
      this.reason = why.message;
      this.#wait(why);
    }
    this.events.onChange();
  }

  #fallBack(transport, why) {
    this.#blocked.add(transport);
    // The first reason is what keeps the best one away.
    if (transport === TRANSPORTS[0]) this.fallback = why.kind === 'no_picture' ? 'WebRTC brought no picture.' : why.message;
  }

  #wait(why, spentMs = performance.now() - this.#begunAt) {
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
    // Jitter only shortens, because a page has to be back within 4 s of the host: 5 s becomes 2 to 3 s.
    const jittered = wait * (0.4 + 0.2 * Math.random());
    // An attempt that hung was waiting already.
    const asked = Math.min(MOST_ASKED_WAIT_MS, why.retryAfterMs ?? 0);
    this.#timer = setTimeout(() => this.#begin(), Math.max(FIRST_WAIT_MS / 2, jittered - spentMs, asked));
  }

  /** Where a better transport has worked before, this one is a makeshift: looks now and then whether it works again. */
  #seekBetter() {
    clearTimeout(this.#betterTimer);
    const better = TRANSPORTS.find((transport) => this.#worked.has(transport));
    if (this.#choice !== 'auto' || !better || better === this.shown?.transport) return;
    this.#betterTimer = setTimeout(() => this.shown && this.#begin(better), this.#betterWait);
    this.#betterWait = Math.min(BETTER_LONGEST_MS, this.#betterWait * 2);
  }

  #endTrial() {
    const trial = this.#trial;
    this.#trial = null;
    if (trial) this.#end(trial);
  }

  #end(session) {
    session.close();
    this.events.onGone(session);
  }
}
