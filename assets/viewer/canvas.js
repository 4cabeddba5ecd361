// What every session does that draws JPEG pictures on a canvas: the newest first, and how long each one took.

import { Session } from './session.js';

/**
 * @typedef {object} JpegFrame
 * @property {Uint8Array} body
 * @property {number} arrivedAt the page's clock, ms
 * @property {number|null} epoch
 * @property {number} capturedUs the host's clock; so are the others, which not every transport tells
 * @property {number} [filteredUs]
 * @property {number} [encodedUs]
 * @property {number} [sentUs]
 */

/** A session whose pictures come as JPEG. */
export class CanvasSession extends Session {
  codec = 'jpeg';
  pc = null;
  epoch = null;
  bytes = 0;
  skipped = 0;
  broken = 0;
  #newest = null;
  #decoding = false;

  /** @param {object} events see {@link Session} */
  constructor(events) {
    super(events);
    this.element = document.createElement('canvas');
    this.context = this.element.getContext('2d', { alpha: false });
  }

  /** Called when a frame was drawn, or given up. @param {JpegFrame} _frame */
  drawn(_frame) {}

  /** Draws a frame as soon as the decoder is free, unless a newer one comes first. @param {JpegFrame} frame */
  take(frame) {
    if (this.#newest) this.skipped++; // it waited for the decoder and is late now
    this.#newest = frame;
    if (!this.#decoding) this.#drawNewest();
  }

  async #drawNewest() {
    this.#decoding = true;
    while (this.#newest && !this.closed) {
      const frame = this.#newest;
      this.#newest = null;
      try {
        const picture = await createImageBitmap(new Blob([frame.body], { type: 'image/jpeg' }));
        if (!this.closed) this.#draw(picture, frame);
        picture.close();
      } catch {
        this.broken++; // one bad picture is no reason to stop: the next one comes
      }
      if (!this.closed) this.drawn(frame);
    }
    this.#decoding = false;
  }

  #draw(picture, frame) {
    const { element } = this;
    const decodedAt = performance.now();
    // Setting a size clears the canvas, so only when it is another one.
    if (element.width !== picture.width || element.height !== picture.height) {
      element.width = picture.width;
      element.height = picture.height;
    }
    this.context.drawImage(picture, 0, 0);
    this.frames++;
    this.epoch = frame.epoch;
    this.pictureShown(picture.width, picture.height);
    if (!this.meter.isNew(frame.capturedUs)) return;
    // The canvas is on the screen with the next animation frame, which a hidden page doesn't get.
    if (!document.hidden) requestAnimationFrame((shownAt) => this.#measure(frame, decodedAt, Math.max(shownAt, decodedAt)));
  }

  #measure({ capturedUs, filteredUs, encodedUs, sentUs, arrivedAt }, decodedAt, shownAt) {
    const capturedAt = this.clock.toPage(capturedUs);
    if (capturedAt === null) return;
    const host = sentUs === undefined ? { arrive: arrivedAt - capturedAt } : {
      filter: (filteredUs - capturedUs) / 1000,
      encode: (encodedUs - filteredUs) / 1000,
      send: (sentUs - encodedUs) / 1000,
      network: arrivedAt - this.clock.toPage(sentUs),
    };
    this.meter.add(shownAt - capturedAt, { ...host, decode: decodedAt - arrivedAt, display: shownAt - decodedAt }, performance.now());
  }
}
