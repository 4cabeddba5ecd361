// RTP timestamps: 32 bits at 90 kHz, so they wrap every 13 hours and compare by their difference.

const KEEP = 32;

/** Whether timestamp `a` is `b` or later, across a wraparound. */
export function isAtOrAfter(a, b) {
  return ((a - b) | 0) >= 0;
}

/** Which geometry made the frame on the screen: the host says from which timestamp each holds. */
export class GeometryTrack {
  #known = [];

  /** @param {{epoch: number, rtp: number, width: number, height: number, pointer: boolean}} geometry */
  add(geometry) {
    this.#known.push({ ...geometry });
    if (this.#known.length > KEEP) this.#known.shift();
  }

  /**
   * The geometry of a presented frame, or null while none is known.
   * @param {number|null} rtp null where the browser doesn't tell: then the newest is the best guess
   */
  at(rtp) {
    if (rtp === null) return this.#known.at(-1) ?? null;
    let index = this.#known.length - 1;
    while (index > 0 && !isAtOrAfter(rtp, this.#known[index].rtp)) index--;
    if (index < 0) return null;
    const found = this.#known[index];
    // Frames only go forward: moving the start along keeps the comparison within half a wrap for ever.
    if (isAtOrAfter(rtp, found.rtp)) found.rtp = rtp;
    this.#known.splice(0, index);
    return found;
  }
}
