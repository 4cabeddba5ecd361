// What the viewer does with the pointer, as EVENTs of the protocol: what is held, where it was last, how often to tell.

/** @typedef {{x: number, y: number}} Point fractions of the picture, 0 to 1 */
/** @typedef {'left'|'right'|'middle'} Button */

/** The viewer's hand on the host's desktop. */
export class Hand {
  #held = new Set();
  #last = null;
  #pending = null;
  #frame = 0;
  #touched = false;
  #session = null;

  /** @param {() => import('./session.js').Session|null} session where events go now, or null while they may not */
  constructor(session) {
    this.session = session;
  }

  /** Whether anything is pressed. */
  get holding() {
    return this.#held.size > 0;
  }

  /** The pointer is here now. One event an animation frame is all a screen can show. @param {Point} point */
  move(point) {
    this.#last = point;
    this.#pending = point;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const where = this.#pending;
      this.#pending = null;
      if (where) this.#send('move', where);
    });
  }

  /** @param {Point} point @param {Button} button */
  down(point, button) {
    if (!this.#send('down', { ...point, button })) return;
    this.#last = point;
    this.#held.add(button);
    this.#session.setHeld(true);
  }

  /** Lets a button go, where it is or, outside of the picture (null), where it last was inside. */
  up(point, button) {
    if (!this.#held.delete(button)) return; // it was pressed on the letterbox
    this.#send('up', { ...(point ?? this.#last), button });
    if (!this.holding) this.#session?.setHeld(false);
  }

  /** Whole notches; positive is right and down. @param {Point} point */
  scroll(point, dx, dy) {
    this.#send('scroll', { ...point, dx, dy });
  }

  /** Lets everything go, once, whatever the state. */
  release() {
    this.#pending = null;
    this.#held.clear();
    const session = this.#session;
    this.#session = null;
    if (!session || !this.#touched) return;
    this.#touched = false;
    session.setHeld(false);
    session.sendPointer(stamp('release', {}, session.epoch));
  }

  #send(kind, fields) {
    const session = this.session();
    if (session !== this.#session) {
      // What was held was held in another session: the host let go with its end.
      this.#held.clear();
      this.#session = session;
    }
    if (!session) return false;
    // Before the first geometry is known nothing can be aimed at.
    if (session.epoch === null && kind !== 'up') return false;
    if (kind !== 'move') this.#pending = null; // this event says where the pointer is
    session.sendPointer(stamp(kind, fields, session.epoch));
    this.#touched = true;
    return true;
  }
}

function stamp(kind, fields, epoch) {
  return { kind, ...fields, epoch, t: performance.now() };
}
