// How old the picture is, leg by leg. Where a leg can't be measured there is no number.

const FRESH_MS = 3000; // older measurements say nothing about now
const WAITING = 128; // frames and messages that wait for their other half

/**
 * @typedef {object} Legs milliseconds of each part of a frame's way; those that are unknown are absent
 * @property {number} [filter] captured to filtered
 * @property {number} [encode] filtered to encoded
 * @property {number} [send] encoded to sent
 * @property {number} [network] sent to received
 * @property {number} [buffer] received to the decoder: the jitter buffer
 * @property {number} [transit] both of these, where the browser does not tell when a frame was received
 * @property {number} [arrive] captured to arrived, where the host's part isn't known apart
 * @property {number} [decode]
 * @property {number} [display]
 */

/** Medians over the last measurements, so that one slow frame doesn't make the number jump. */
export class DelayMeter {
  #taken = [];
  #newestUs = null;

  /**
   * Whether a frame may be measured. A still picture is sent again with its old capture time; that is its age,
   * not a delay, and the first frame after connecting may be such a one.
   * @param {number} capturedUs
   */
  isNew(capturedUs) {
    const first = this.#newestUs === null;
    const newer = !first && capturedUs > this.#newestUs;
    if (first || newer) this.#newestUs = capturedUs;
    return newer;
  }

  /** @param {number} totalMs @param {Legs} legs @param {number} now */
  add(totalMs, legs, now) {
    if (!Number.isFinite(totalMs) || totalMs < -50) return; // a clock that is off: no number
    this.#taken.push({ at: now, totalMs: Math.max(0, totalMs), legs });
    if (this.#taken.length > 60) this.#taken.shift();
  }

  /** @param {number} now @returns {{delayMs: number|null, legs: Legs}} */
  read(now) {
    this.#taken = this.#taken.filter((one) => now - one.at < FRESH_MS);
    const legs = {};
    for (const name of ['filter', 'encode', 'send', 'network', 'buffer', 'transit', 'arrive', 'decode', 'display']) {
      const value = median(this.#taken.map((one) => one.legs[name]).filter(Number.isFinite));
      if (value !== null) legs[name] = Math.max(0, value);
    }
    return { delayMs: median(this.#taken.map((one) => one.totalMs)), legs };
  }
}

/** Joins the host's `frame` messages with the frames the browser presented; either may come first. */
export class FrameJoin {
  #told = new Map();
  #shown = new Map();

  /** @param {HostClock} clock @param {DelayMeter} meter */
  constructor(clock, meter) {
    this.clock = clock;
    this.meter = meter;
  }

  /** A `frame` message: when the host captured, filtered, encoded and sent the frame. */
  told(times) {
    if (!this.meter.isNew(times.captured_us)) return;
    const shown = this.#shown.get(times.rtp);
    if (shown) this.#measure(times, shown);
    else keep(this.#told, times.rtp, times);
  }

  /**
   * A presented frame, in the page's clock.
   * @param {number} rtp
   * @param {{presentedAt: number, receivedAt: number|undefined, displayedAt: number, decodeMs: number|undefined}} shown
   */
  shown(rtp, shown) {
    const times = this.#told.get(rtp);
    if (times) this.#measure(times, shown);
    else keep(this.#shown, rtp, shown);
    this.#told.delete(rtp);
  }

  #measure(times, { presentedAt, receivedAt, displayedAt, decodeMs }) {
    const capturedAt = this.clock.toPage(times.captured_us);
    const sentAt = this.clock.toPage(times.sent_us);
    if (capturedAt === null) return;
    const decoderAt = presentedAt - (decodeMs ?? NaN);
    this.meter.add(displayedAt - capturedAt, {
      filter: (times.filtered_us - times.captured_us) / 1000,
      encode: (times.encoded_us - times.filtered_us) / 1000,
      send: (times.sent_us - times.encoded_us) / 1000,
      ...(Number.isFinite(receivedAt) ? { network: receivedAt - sentAt, buffer: decoderAt - receivedAt } : { transit: decoderAt - sentAt }),
      decode: decodeMs,
      display: displayedAt - presentedAt,
    }, performance.now());
  }
}

function keep(map, key, value) {
  map.set(key, value);
  if (map.size > WAITING) map.delete(map.keys().next().value);
}

function median(values) {
  if (!values.length) return null;
  return values.sort((a, b) => a - b)[values.length >> 1];
}
