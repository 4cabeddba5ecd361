// What the viewer does with the pointer, as EVENTs of the protocol: what is held, where it was last, how often to tell.

/** @typedef {{x: number, y: number}} Point fractions of the picture, 0 to 1 */
/** @typedef {'left'|'right'|'middle'} Button */

const TEXT_PART = 1000; // characters of a message

/** The viewer's hand on the host's desktop. */
export class Hand {
  #held = new Set();
  #keys = new Set();
  #last = null;
  #pending = null;
  #frame = 0;
  #touched = false;
  #session = null;
  #by = { dx: 0, dy: 0 };

  /** @param {() => import('./session.js').Session|null} session where events go now, or null while they may not */
  constructor(session) {
    this.session = session;
  }

  /** Whether a button is. */
  get pressing() {
    return this.#held.size > 0;
  }

  /** Whether anything is pressed. */
  get holding() {
    return this.#held.size + this.#keys.size > 0;
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

  /** The pointer went so far, wherever it is; in fractions of the picture. */
  moveBy(dx, dy) {
    this.#by.dx += dx;
    this.#by.dy += dy;
    this.#frame ||= requestAnimationFrame(() => this.#sendMotion());
  }

  #sendMotion() {
    this.#frame = 0;
    const by = this.#by;
    this.#by = { dx: 0, dy: 0 };
    if (by.dx || by.dy) this.#send('move_by', by);
  }

  /** @param {Point|null} point null where the pointer is already @param {Button} button */
  down(point, button) {
    if (this.#by.dx || this.#by.dy) this.#sendMotion();
    if (!this.#send('down', { ...(point ?? { here: true }), button })) return;
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

  /** Whole notches; positive is right and down. @param {Point|null} point null where the pointer is already */
  scroll(point, dx, dy) {
    this.#send('scroll', { ...(point ?? { here: true }), dx, dy });
  }

  /**
   * @param {'key_down'|'key_up'} kind
   * @param {string} code of a KeyboardEvent
   * @param {string|null} [character] what it types; null presses the key at this place
   */
  key(kind, code, character = null) {
    if (!this.#send(kind, { code, char: character })) return;
    // What is typed is let go by the host itself.
    if (kind === 'key_down' && !character) this.#keys.add(code);
    else this.#keys.delete(code);
    this.#session?.setHeld(this.holding);
  }

  /** Types a text. */
  text(text) {
    // Each message stays far below what a host reads.
    const characters = [...text];
    for (let at = 0; at < characters.length; at += TEXT_PART) this.#send('text', { text: characters.slice(at, at + TEXT_PART).join('') });
  }

  /** Lets everything go, once, whatever the state. */
  release() {
    this.#pending = null;
    this.#held.clear();
    this.#keys.clear();
    this.#by = { dx: 0, dy: 0 };
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
      this.#keys.clear();
      this.#session = session;
    }
    if (!session) return false;
    // Before the first geometry is known nothing can be aimed at.
    if (session.epoch === null && kind !== 'up' && kind !== 'key_up') return false;
    if (kind !== 'move') this.#pending = null; // this event says where the pointer is
    session.sendPointer(stamp(kind, fields, session.epoch));
    this.#touched = true;
    return true;
  }
}

function stamp(kind, fields, epoch) {
  return { kind, ...fields, epoch, t: performance.now() };
}
