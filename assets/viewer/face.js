// The bar, the cards and the notice: what the page says about itself in words and numbers.

const NOTICE_MS = 9000;
const CODECS = { h264: 'H.264', vp8: 'VP8', vp9: 'VP9', av1: 'AV1', h265: 'H.265' };
const TRANSPORTS = { websocket: 'WebSocket JPEG', mjpeg: 'MJPEG' };
const byId = (id) => document.getElementById(id);

/** How the picture gets here, to read: `WebRTC H.264`, `WebSocket JPEG` or `MJPEG`; empty while there is none. */
export function transportName(session) {
  if (!session) return '';
  if (session.transport !== 'webrtc') return TRANSPORTS[session.transport];
  return ['WebRTC', CODECS[session.codec] ?? session.codec?.toUpperCase()].filter(Boolean).join(' ');
}

/** A number with its unit, or a dash where it isn't known. */
export function withUnit(value, unit, digits = 0) {
  return Number.isFinite(value) ? `${value.toFixed(digits)} ${unit}` : '–';
}

/** Sets a text only when it is another one: screen readers read every change again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Everything on the page but the picture and the drawer. */
export class Face {
  #noticeTimer = 0;
  #onAction = null;
  #topic = '';
  #state = '';

  constructor() {
    byId('notice-close').addEventListener('click', () => this.hideNotice());
    byId('notice-action').addEventListener('click', () => {
      this.hideNotice();
      this.#onAction?.();
    });
  }

  /**
   * @param {import('./player.js').Player} player
   * @param {{active: boolean, wanted: boolean}} control whether clicks go to the host, and whether the viewer wants so
   * @param {import('./view.js').View} view
   */
  show(player, control, view) {
    const { state, shown } = player;
    const host = shown?.host;
    const paused = state === 'live' && Boolean(host?.paused);
    const words = {
      connecting: 'Connecting…', reconnecting: 'Reconnecting…', secret: 'Not let in', asleep: 'Paused while hidden',
      live: paused ? 'Paused by the host' : `Live · ${transportName(shown)}`,
    };
    setText(byId('status-text'), words[state]);
    setText(byId('source'), host?.source || byId('source').textContent);
    const title = state === 'live' ? `${host?.source || 'Live'} · Lenscast` : `${words[state]} · Lenscast`;
    if (document.title !== title) document.title = title;
    document.body.className = [`state-${state}`, paused && 'paused', control.active && 'controlling', view.canPan && 'can-pan'].filter(Boolean).join(' ');

    byId('waiting').hidden = state !== 'connecting' && state !== 'reconnecting';
    setText(byId('waiting-title'), state === 'reconnecting' ? 'Reconnecting…' : 'Connecting…');
    setText(byId('waiting-why'), player.reason);
    byId('try-now').hidden = state !== 'reconnecting';
    this.#secret(state);
    this.#zoom(view);

    const button = byId('control');
    button.hidden = !host?.control;
    button.disabled = !host?.pointer;
    button.setAttribute('aria-checked', String(control.wanted && Boolean(host?.pointer)));
    button.title = !host?.pointer ? 'This source has no desktop to click on'
      : control.active ? 'Clicks and scrolling go to the shared screen' : 'You only watch';
    byId('stage').setAttribute('aria-label', `The shared picture${control.active ? '; the pointer controls it' : ''}`);
  }

  /** While the host is asked, nothing else lies over the picture. */
  entering(waits) {
    if (!waits) return;
    byId('secret-form').hidden = true;
    byId('waiting').hidden = true;
    setText(byId('status-text'), 'Waiting to be let in…');
  }

  /** The numbers change all the time and are in no live region. */
  numbers(session, delayMs) {
    setText(byId('size'), session?.width ? `${session.width} × ${session.height}` : '–');
    setText(byId('fps'), withUnit(session?.fps, 'fps'));
    setText(byId('delay'), withUnit(delayMs, 'ms'));
  }

  /**
   * Something to know, over the picture for a while.
   * @param {string} text
   * @param {{topic?: string, serious?: boolean, action?: string, onAction?: () => void}} [more]
   */
  notice(text, { topic = '', serious = false, action = '', onAction = null } = {}) {
    if (!text) return;
    clearTimeout(this.#noticeTimer);
    this.#onAction = onAction;
    this.#topic = topic;
    const notice = byId('notice');
    notice.hidden = false;
    notice.classList.toggle('serious', serious);
    setText(byId('notice-text'), text);
    byId('notice-action').hidden = !action;
    setText(byId('notice-action'), action);
    const end = () => {
      // Nobody's button vanishes under the finger or the focus.
      if (notice.matches(':hover, :focus-within')) this.#noticeTimer = setTimeout(end, 1000);
      else this.hideNotice();
    };
    this.#noticeTimer = setTimeout(end, NOTICE_MS);
  }

  /** Whether a notice is to be seen now. */
  get noticing() {
    return !byId('notice').hidden;
  }

  /** @param {string} [topic] hides the notice only if it is about this */
  hideNotice(topic) {
    if (topic !== undefined && topic !== this.#topic) return;
    clearTimeout(this.#noticeTimer);
    byId('notice').hidden = true;
  }

  #zoom(view) {
    byId('actual').setAttribute('aria-pressed', String(view.mode === 'actual'));
    byId('zoom').hidden = view.mode === 'fit';
    setText(byId('zoom'), `${view.percent} % · Fit`);
    byId('zoom').setAttribute('aria-label', `Zoomed to ${view.percent} per cent; show all`);
  }

  #secret(state) {
    const form = byId('secret-form');
    form.hidden = state !== 'secret';
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    if (state !== 'secret') return;
    this.hideNotice();
    if (before === 'connecting' && byId('secret-input').value) byId('secret-error').textContent = 'The host did not take this one either.';
    byId('secret-input').focus();
    byId('secret-input').select();
  }
}
