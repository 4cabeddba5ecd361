// Picture in picture: a video of its own, so that it outlives reconnecting and shows a canvas as well.

/** The button and the small window. */
export class PictureInPicture {
  #video = document.createElement('video');
  #session = null;

  /** @param {HTMLButtonElement} button @param {() => void} onChange */
  constructor(button, onChange) {
    this.button = button;
    Object.assign(this.#video, { muted: true, playsInline: true });
    button.hidden = !(document.pictureInPictureEnabled && this.#video.requestPictureInPicture);
    button.addEventListener('click', () => this.toggle().catch(() => {})); // the browser has its own say
    this.#video.addEventListener('leavepictureinpicture', () => {
      this.#feed(null);
      button.setAttribute('aria-pressed', 'false');
      onChange();
    });
  }

  get active() {
    return document.pictureInPictureElement === this.#video;
  }

  /** The session whose picture is live, or null. @param {import('./session.js').Session|null} session */
  show(session) {
    if (session === this.#session) return;
    this.#session = session;
    if (session && this.active) this.#feed(session);
  }

  async toggle() {
    if (this.active) return document.exitPictureInPicture();
    if (!this.#session) return;
    this.#feed(this.#session);
    await this.#video.play();
    if (!this.#video.videoWidth) await new Promise((done) => this.#video.addEventListener('loadedmetadata', done, { once: true }));
    await this.#video.requestPictureInPicture();
    this.button.setAttribute('aria-pressed', 'true');
  }

  #feed(session) {
    const { element } = session ?? {};
    this.#video.srcObject = element ? element.srcObject ?? element.captureStream() : null;
    if (element) this.#video.play().catch(() => {});
  }
}
