// The drawer with what is behind the numbers: the legs of the delay, the connection, the host.

import { setText, transportName, withUnit } from './face.js';

const HOST_LEGS = [['filter', 'Capture to filter'], ['encode', 'Filter to encode'], ['send', 'Encode to sent']];
const PAGE_LEGS = [['decode', 'Decode'], ['display', 'Display']];
const LEGS = {
  webrtc: [...HOST_LEGS, ['network', 'Network'], ['buffer', 'Jitter buffer'], ...PAGE_LEGS],
  // What browsers without a frame's time of arrival can tell.
  webrtcTransit: [...HOST_LEGS, ['transit', 'Network and jitter buffer'], ...PAGE_LEGS],
  websocket: [...HOST_LEGS, ['network', 'Network'], ...PAGE_LEGS],
  mjpeg: [['arrive', 'Host and network'], ...PAGE_LEGS],
};
const GRAPH_POINTS = 61;
const byId = (id) => document.getElementById(id);

/** The drawer; it fills itself only while it is open. */
export class Details {
  #past = [];
  #ticks = 0;
  #shown = null;

  /** @param {() => void} onOpen called before it opens: there is room for one drawer */
  constructor(onOpen) {
    this.onOpen = onOpen;
    byId('details-button').addEventListener('click', () => (this.open ? this.close() : this.#open()));
    byId('details-close').addEventListener('click', () => this.close());
  }

  get open() {
    return !byId('details').hidden;
  }

  /** Closes the drawer; the focus goes back to the button that opens it. */
  close() {
    if (!this.open) return;
    const hadFocus = byId('details').contains(document.activeElement);
    byId('details').hidden = true;
    byId('details-button').setAttribute('aria-expanded', 'false');
    if (hadFocus) byId('details-button').focus();
  }

  /**
   * Called twice a second.
   * @param {import('./session.js').Session|null} session
   * @param {{delayMs: number|null, legs: import('./delay.js').Legs}} measured
   * @param {import('./player.js').Player} player
   */
  show(session, measured, player) {
    if (this.#ticks++ % 2 === 0) {
      this.#past.push(measured.delayMs);
      if (this.#past.length > GRAPH_POINTS) this.#past.shift();
    }
    this.#shown = [session, measured, player];
    if (this.open) this.#fill();
  }

  #open() {
    this.onOpen();
    byId('details').hidden = false;
    byId('details-button').setAttribute('aria-expanded', 'true');
    this.#fill();
  }

  #fill() {
    if (!this.#shown) return;
    const [session, { delayMs, legs }, player] = this.#shown;
    setText(byId('total'), withUnit(delayMs, 'ms'));
    this.#graph();
    const names = LEGS[legs.transit === undefined ? session?.transport ?? 'webrtc' : 'webrtcTransit'];
    rows(byId('legs'), names.map(([key, name]) => [name, withUnit(legs[key], 'ms', 1), `leg leg-${key}`]));
    bar(byId('legs-bar'), names.map(([key]) => [key, legs[key] ?? 0]));
    rows(byId('facts'), [
      ['Transport', transportName(session) || '–'],
      ...(player.fallback ? [['Not WebRTC, because', player.fallback]] : []),
      ['Picture', session?.width ? `${session.width} × ${session.height}` : '–'],
      ['Frame rate', withUnit(session?.fps, 'fps', 1)],
      ...(session?.facts ?? []),
    ]);
    byId('quality').disabled = !session?.sizes;
    byId('quality').title = session?.sizes ? 'How large the picture is sent' : 'Over this transport the picture has one size';
    const host = session?.host;
    rows(byId('host-facts'), [
      ['Source', host?.source || '–'],
      ['Frame rate', withUnit(host?.fps ?? NaN, 'fps', 1)],
      ['Viewers', Number.isFinite(host?.viewers) ? String(host.viewers) : '–'],
      ['Control', !host ? '–' : !host.control ? 'not allowed' : host.pointer ? 'allowed' : 'allowed, but nothing to click on'],
      ...(host?.roles ? [['You may', host.roles.map((role) => ROLES[role] ?? role).join(', ') || 'nothing']] : []),
    ]);
    byId('secure-hint').hidden = window.isSecureContext;
    byId('secure-link').href = `https://${location.host}/`;
  }

  #graph() {
    const known = this.#past.filter((value) => value !== null);
    const top = niceTop(Math.max(...known, 1));
    let path = '';
    let pen = false; // up over the gaps, where there was nothing to measure
    this.#past.forEach((value, i) => {
      if (value === null) return void (pen = false);
      const x = GRAPH_POINTS - this.#past.length + i;
      path += `${pen ? 'L' : 'M'}${x} ${(23 - value / top * 22).toFixed(2)}`;
      pen = true;
    });
    byId('graph').firstElementChild.setAttribute('d', path);
    setText(byId('graph-scale'), known.length ? `0 to ${top} ms, last 60 s` : '');
  }
}

function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return Math.ceil([1, 2, 5, 10].find((step) => step * power >= value) * power);
}

const ROLES = { watch: 'watch', point: 'point', click: 'click', type: 'type', tune: 'move the sliders' };

/** Brings a description list to these rows, and touches only what is another. */
function rows(list, wanted) {
  while (list.children.length > wanted.length) list.lastElementChild.remove();
  wanted.forEach(([name, value, kind = ''], i) => {
    let row = list.children[i];
    if (!row) {
      row = list.appendChild(document.createElement('div'));
      row.append(document.createElement('dt'), document.createElement('dd'));
    }
    if (row.className !== kind) row.className = kind;
    setText(row.children[0], name);
    setText(row.children[1], value);
  });
}

function bar(element, parts) {
  while (element.children.length > parts.length) element.lastElementChild.remove();
  parts.forEach(([key, value], i) => {
    const part = element.children[i] ?? element.appendChild(document.createElement('span'));
    part.className = `leg-${key}`;
    part.style.flexGrow = String(Math.max(0, value));
  });
}
