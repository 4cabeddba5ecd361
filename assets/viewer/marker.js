// A named pointer in the picture, for viewers who may point and don't control: it clicks on nothing.

/** Tells the host where the viewer points, once an animation frame. */
export class Marker {
  #frame = 0;
  #at = null;
  #down = false;
  #shown = false;

  /**
   * @param {HTMLElement} stage
   * @param {() => import('./session.js').Session|null} session where it is told, or null while the viewer does not point
   * @param {(clientX: number, clientY: number) => import('./hand.js').Point|null} locate
   */
  constructor(stage, session, locate) {
    Object.assign(this, { stage, session, locate });
    for (const type of ['pointermove', 'pointerdown', 'pointerup', 'pointercancel', 'pointerleave'])
      stage.addEventListener(type, (event) => this.#pointer(event));
  }

  #pointer(event) {
    if (!this.session()) return;
    if (event.target instanceof Element && event.target.closest('[data-over-stage]')) return;
    const gone = event.type === 'pointerleave' || event.type === 'pointercancel';
    this.#at = gone ? null : this.locate(event.clientX, event.clientY);
    this.#down = !gone && (event.buttons & 1) === 1;
    this.#frame ||= requestAnimationFrame(() => this.#tell());
  }

  #tell() {
    this.#frame = 0;
    const session = this.session();
    if (!session || session.epoch === null) return;
    // Once is enough to say that it is nowhere.
    if (!this.#at && !this.#shown) return;
    this.#shown = Boolean(this.#at);
    session.sendPoint({ ...(this.#at ?? {}), epoch: session.epoch, down: this.#down });
  }
}
