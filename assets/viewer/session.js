// What the sessions over every transport have in common, so that the rest of the page knows only one kind.

import { HostClock } from './clock.js';
import { DelayMeter } from './delay.js';
import { Failure } from './http.js';

/** A page that shows nothing for this long has not connected, whatever the browser says. */
export const FIRST_PICTURE_MS = 6000;
/** Neither a frame nor a word from the host for this long: the connection is dead, though nobody said so. */
export const SILENCE_MS = 3000;
/** The same where there is a reason to think so. */
const DOUBT_MS = 1200;

/**
 * @typedef {object} HostState what the host says of itself
 * @property {string} source
 * @property {number} width
 * @property {number} height
 * @property {number|null} fps
 * @property {number|null} viewers
 * @property {boolean} control whether this viewer may use the pointer
 * @property {boolean} keys whether this viewer may type
 * @property {boolean} pointer whether the source has a desktop to click on
 * @property {boolean} paused
 * @property {'nobody'|'you'|'other'|'host'} holder who has the control of the desktop
 * @property {number} asking how many ask for it
 * @property {boolean} local the person at the host uses the real mouse or keyboard
 */

/** One connection to the host, from its start to its end; a new attempt is a new session. */
export class Session {
  /** Shows the picture, letterboxed by `object-fit`. */
  element;
  transport = '';
  /** `h264`, `vp8`, `jpeg`, or null while unknown. */
  codec = null;
  width = 0;
  height = 0;
  /** Pictures shown. */
  frames = 0;
  fps = null;
  /** @type {HostState|null} */
  host = null;
  /** Lines of the details drawer: `[name, value]`. */
  facts = [];
  /** Whether the host has more than one size to choose from. */
  sizes = false;
  live = false;
  closed = false;
  clock = new HostClock();
  meter = new DelayMeter();
  #timers = [];
  #counted = { frames: 0, at: 0 };
  #heardAt = 0;
  #lookedAt = 0;

  /**
   * @param {object} events
   * @param {(session: Session) => void} events.onPicture the first picture is there
   * @param {(session: Session, why: Failure) => void} events.onEnd once, and only if nobody called `close`
   * @param {(session: Session) => void} events.onHost the host said something about itself
   * @param {(text: string, serious: boolean) => void} events.onNotice something to show to the person
   */
  constructor(events) {
    this.events = events;
    this.every(1000, () => this.#countFrames());
    this.every(500, () => this.#listen());
    this.after(FIRST_PICTURE_MS, () => {
      if (!this.live) this.fail(new Failure('no_picture', 'No picture came.'));
    });
  }

  /** A sign of life from the host: a frame, or a word about its state. */
  heard() {
    this.#heardAt = performance.now();
  }

  /** Something was drawn. */
  pictureShown(width, height) {
    this.width = width;
    this.height = height;
    if (this.live || this.closed) return;
    this.live = true;
    this.heard();
    this.events.onPicture(this);
  }

  /** Which size the person wants: `auto`, `full`, `half` or `quarter`. Where there is no choice nothing happens. */
  setQuality(_rung) {}

  /** Where the viewer points; over MJPEG nobody hears it. */
  sendPoint(_at) {}

  /** Asks for the control of the desktop, or gives it away; over MJPEG nobody hears it. @param {'ask'|'give'} _wish */
  wishControl(_wish) {}

  /** Something happened to the machine or its network: soon there has to be a sign of life, or the session ends. */
  doubt() {
    this.#heardAt = Math.min(this.#heardAt, performance.now() - SILENCE_MS + DOUBT_MS);
    this.#lookedAt = performance.now();
  }

  /** Ends the session by itself and says why. */
  fail(why) {
    if (this.closed) return;
    this.close();
    this.events.onEnd(this, why);
  }

  /** Ends the session; nothing is reported any more. */
  close() {
    this.closed = true;
    for (const stop of this.#timers) stop();
    this.#timers = [];
  }

  every(ms, work) {
    const id = setInterval(work, ms);
    this.#timers.push(() => clearInterval(id));
  }

  after(ms, work) {
    const id = setTimeout(work, ms);
    this.#timers.push(() => clearTimeout(id));
  }

  #listen() {
    const now = performance.now();
    // After a sleep of the machine what came in the meantime is still to be read: listen anew.
    if (now - this.#lookedAt > 2000) this.heard();
    this.#lookedAt = now;
    if (this.live && now - this.#heardAt > SILENCE_MS) this.fail(new Failure('lost', 'The host went silent.'));
  }

  #countFrames() {
    const now = performance.now();
    const { frames, at } = this.#counted;
    // Nothing is presented while the page is hidden; that is no frame rate of 0.
    this.fps = document.hidden || !at || !this.live ? null : (this.frames - frames) / ((now - at) / 1000);
    this.#counted = { frames: this.frames, at: now };
  }
}
