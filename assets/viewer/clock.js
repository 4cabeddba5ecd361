// How far the host's clock is from this page's, so that a frame's age can be told in one clock.

const KEEP_MS = 60_000; // longer, and the drift of two quartz clocks shows
const JUMP_MS = 5; // a disagreement beyond what the round trips explain is a clock that was set

/** NTP's estimate: of all recent exchanges the fastest one is the least wrong. */
export class HostClock {
  #samples = [];

  /**
   * One exchange.
   * @param {number} t0 page, ms: sent
   * @param {number} t1Us host, µs: taken
   * @param {number} t2Us host, µs: answered
   * @param {number} t3 page, ms: come back
   */
  add(t0, t1Us, t2Us, t3) {
    const rtt = t3 - t0 - (t2Us - t1Us) / 1000;
    const offset = (t1Us / 1000 - t0 + (t2Us / 1000 - t3)) / 2;
    if (!Number.isFinite(offset) || !(rtt >= 0) || rtt > 2000) return;
    const best = this.#best();
    const jumped = best && Math.abs(best.offset - offset) > (best.rtt + rtt) / 2 + JUMP_MS;
    this.#samples = jumped ? [] : this.#samples.filter((sample) => t3 - sample.at < KEEP_MS);
    this.#samples.push({ at: t3, rtt, offset });
  }

  /** A time of the host in the page's `performance.now()`, or null while unknown. */
  toPage(hostUs) {
    const best = this.#best();
    return best && Number.isFinite(hostUs) ? hostUs / 1000 - best.offset : null;
  }

  /** The fastest round trip of late, ms, or null. */
  get roundTripMs() {
    return this.#best()?.rtt ?? null;
  }

  #best() {
    return this.#samples.reduce((best, sample) => (best && best.rtt < sample.rtt ? best : sample), null);
  }
}
