// Fingers: tap to click, hold to right-click, drag to drag, two fingers to scroll.

const LONG_PRESS_MS = 500;
const SLOP_PX = 10; // a finger is never quite still
const SCROLL_PX = 40; // of two fingers' way for a notch of the wheel

/** One gesture at a time; it is over when the last finger is lifted. */
export class TouchGestures {
  #fingers = new Map();
  /** `none`, `wait` (a tap or the start of something), `drag`, `scroll` or `done` (until all fingers are up) */
  #kind = 'none';
  #start = null;
  #timer = 0;
  #middle = null;
  #rest = { x: 0, y: 0 };

  /**
   * @param {import('./hand.js').Hand} hand
   * @param {(clientX: number, clientY: number) => import('./hand.js').Point|null} locate
   */
  constructor(hand, locate) {
    this.hand = hand;
    this.locate = locate;
  }

  /** @param {PointerEvent} event of a finger @param {Element} stage */
  handle(event, stage) {
    if (event.type === 'pointerdown') this.#down(event, stage);
    else if (event.type === 'pointermove') this.#move(event);
    else if (event.type === 'pointerup') this.#up(event);
  }

  /** Ends the gesture without finishing it. */
  forget() {
    clearTimeout(this.#timer);
    this.#fingers.clear();
    this.#kind = 'none';
  }

  #down(event, stage) {
    const point = this.locate(event.clientX, event.clientY);
    if (!point && !this.#fingers.size) return;
    stage.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#fingers.size === 1) {
      this.#kind = 'wait';
      this.#start = { point, x: event.clientX, y: event.clientY };
      this.#timer = setTimeout(() => this.#longPress(), LONG_PRESS_MS);
    } else if (this.#fingers.size === 2 && this.#kind !== 'done') {
      clearTimeout(this.#timer);
      if (this.#kind === 'drag') this.hand.up(null, 'left');
      this.#kind = 'scroll';
      this.#middle = this.#centre();
      this.#rest = { x: 0, y: 0 };
    }
  }

  #move(event) {
    const finger = this.#fingers.get(event.pointerId);
    if (!finger) return;
    finger.x = event.clientX;
    finger.y = event.clientY;
    if (this.#kind === 'wait' && Math.hypot(finger.x - this.#start.x, finger.y - this.#start.y) > SLOP_PX) {
      clearTimeout(this.#timer);
      this.#kind = 'drag';
      this.hand.down(this.#start.point, 'left'); // where the finger came down, not where it was noticed
    }
    if (this.#kind === 'drag') {
      const point = this.locate(finger.x, finger.y);
      if (point) this.hand.move(point);
    } else if (this.#kind === 'scroll') {
      this.#scroll();
    }
  }

  #up(event) {
    if (!this.#fingers.delete(event.pointerId)) return;
    clearTimeout(this.#timer);
    if (this.#kind === 'wait') this.#click('left');
    else if (this.#kind === 'drag') this.hand.up(this.locate(event.clientX, event.clientY), 'left');
    this.#kind = this.#fingers.size ? 'done' : 'none';
  }

  #longPress() {
    this.#click('right');
    this.#kind = 'done';
    navigator.vibrate?.(15);
  }

  #click(button) {
    this.hand.down(this.#start.point, button);
    this.hand.up(this.#start.point, button);
  }

  #scroll() {
    const middle = this.#centre();
    const point = this.locate(middle.x, middle.y) ?? this.#start.point;
    // The picture follows the fingers: pushing it up is turning the wheel down.
    this.#rest.x += (this.#middle.x - middle.x) / SCROLL_PX;
    this.#rest.y += (this.#middle.y - middle.y) / SCROLL_PX;
    this.#middle = middle;
    const dx = Math.trunc(this.#rest.x) || 0;
    const dy = Math.trunc(this.#rest.y) || 0;
    this.#rest.x -= dx;
    this.#rest.y -= dy;
    if (dx || dy) this.hand.scroll(point, dx, dy);
  }

  #centre() {
    const [a, b] = [...this.#fingers.values()];
    return b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : a;
  }
}
