// Relative motion: the pointer is caught on the page, for games and for desktops that turn without end.

/** Catches the pointer while it is wanted and the viewer controls the host. */
export class PointerLock {
  /**
   * @param {HTMLElement} stage
   * @param {HTMLElement} button
   * @param {import('./hand.js').Hand} hand
   * @param {() => {width: number, height: number}} shownSize of the whole picture, in CSS pixels
   * @param {(text: string) => void} onNotice
   */
  constructor(stage, button, hand, shownSize, onNotice) {
    Object.assign(this, { stage, button, hand, shownSize });
    button.addEventListener('click', () => {
      if (this.locked) return document.exitPointerLock();
      Promise.resolve(stage.requestPointerLock?.()).catch(() => onNotice('This browser does not give the pointer away now; click again.'));
    });
    document.addEventListener('pointerlockchange', () => {
      button.setAttribute('aria-pressed', String(this.locked));
      hand.release();
      if (this.locked) onNotice('The pointer is caught. Press Esc to get it back.');
    });
  }

  get locked() {
    return document.pointerLockElement === this.stage;
  }

  /** @param {PointerEvent} event a motion while locked */
  move({ movementX, movementY }) {
    const { width, height } = this.shownSize();
    if (width && height && (movementX || movementY)) this.hand.moveBy(movementX / width, movementY / height);
  }

  release() {
    if (this.locked) document.exitPointerLock();
  }
}
