// Puts the page together: the player, the pointer, and what is shown of both.

import { guestName, keepSecret, readLink, secret, takeInvitation, takeSecret } from './access.js';
import { Baton } from './baton.js';
import { Entrance } from './enter.js';
import { Details } from './details.js';
import { Hand } from './hand.js';
import { KeyboardInput } from './keyboard.js';
import { PointerLock } from './lock.js';
import { Marker } from './marker.js';
import { PictureInPicture } from './pip.js';
import { Player, TRANSPORTS } from './player.js';
import { PointerInput, pointInPicture } from './pointer.js';
import { FullScreen } from './screen.js';
import { Face, transportName } from './face.js';
import { Tune } from './tune.js';
import { View } from './view.js';
import { Wakefulness } from './wake.js';

const query = new URLSearchParams(location.search);
const oneOf = (value, ...allowed) => (allowed.includes(value) ? value : undefined);
const byId = (id) => document.getElementById(id);

const stage = byId('stage');
const face = new Face();
const tune = new Tune((text) => face.notice(text, { topic: 'tune', serious: true }), () => details.close());
const details = new Details(() => tune.close());
const player = new Player(
  { choice: oneOf(query.get('transport'), ...TRANSPORTS) ?? 'auto', codec: oneOf(query.get('codec'), 'h264', 'vp8') },
  {
    onTry: ({ element }) => {
      element.className = 'picture waits';
      stage.append(element);
    },
    onShow: ({ element }, old) => {
      input.letGo();
      element.classList.remove('waits');
      // The last picture of a broken session stays until now, under "Reconnecting".
      for (const other of [...stage.children]) if (other !== element) other.remove();
      if (old) old.element.remove();
      pip.show(player.shown);
    },
    onGone: ({ element }) => {
      if (element.classList.contains('waits')) element.remove();
    },
    onChange: () => render(),
    onHost: () => render(),
    onNotice: (text, serious) => face.notice(text, { serious }),
  },
);

// ---- the pointer ----

let controlWanted = true; // the host has said yes already; the person can only take back
let controlTold = false;
const mayControl = () => Boolean(player.shown?.canPoint && !player.shown.host?.paused);
const controlling = () => controlWanted && mayControl();
// Who may only type has no switch for the control.
const mayType = () => Boolean(player.shown?.canType && !player.shown.host?.paused && (controlWanted || !mayControl()));
const hand = new Hand(() => (controlling() || mayType() ? player.shown : null));
// Video has no odd sides: the last column or row of such a picture is left out, and a fraction is one of the whole.
const whole = (shown, all) => (all === shown + 1 ? shown / all : 1);
const locate = (x, y) => {
  const { element, width, height, host } = player.shown ?? {};
  const point = element ? pointInPicture(element, width, height, x, y) : null;
  return point && { x: point.x * whole(width, host?.width), y: point.y * whole(height, host?.height) };
};
// The last picture's size counts while there is none.
let size = null;
const view = new View(stage, () => (size = player.shown?.width ? player.shown : size), () => render());
const pip = new PictureInPicture(byId('pip'), () => wakefulness.look());
const lock = new PointerLock(stage, byId('lock'), hand, shownSize, (text) => face.notice(text, { topic: 'lock' }));
const input = new PointerInput(stage, hand, controlling, locate, view, lock);
const keyboard = new KeyboardInput(byId('keys'), hand, { byPlace: () => byId('layout').value === 'place', onChange: () => render() });
const pointing = () => !controlling() && player.transport !== 'mjpeg' && Boolean(player.shown?.host?.roles?.includes('point')) && !player.shown.host.paused;
new Marker(stage, () => (pointing() ? player.shown : null), locate);
const baton = new Baton(face, () => player.shown);

/** How large the whole picture is on the page, in CSS pixels. */
function shownSize() {
  const { element, width, height } = player.shown ?? {};
  if (!element || !width) return { width: 0, height: 0 };
  const box = element.getBoundingClientRect();
  const scale = Math.min(box.width / width, box.height / height);
  return { width: width * scale, height: height * scale };
}

byId('control').addEventListener('click', () => {
  controlWanted = !controlWanted;
  if (!controlWanted) input.letGo();
  render();
});
// A press on the button would take the focus from the sink, which ends the typing: so nothing is left to toggle.
byId('keyboard').addEventListener('pointerdown', (event) => event.preventDefault());
// The same on the picture, for whoever types and does not click.
stage.addEventListener('mousedown', (event) => keyboard.on && event.preventDefault());
byId('keyboard').addEventListener('click', () => {
  keyboard.toggle();
  if (keyboard.on) face.notice('Your keys go to the shared computer. Ctrl+Alt+Shift gives them back; Ctrl+Shift+V types what you copied.', { topic: 'keyboard' });
});

// ---- what is shown ----

let fallbackTold = '';
function render() {
  const active = controlling();
  view.refresh();
  pip.show(player.shown);
  const types = mayType();
  if (!active && (types ? hand.pressing : hand.holding)) input.letGo();
  if (!active) lock.release();
  if (!types) keyboard.off();
  byId('keyboard').hidden = !types;
  byId('keyboard').setAttribute('aria-checked', String(keyboard.on));
  byId('lock').hidden = !active || !stage.requestPointerLock || matchMedia('(pointer: coarse)').matches;
  if (!keyboard.on) face.hideNotice('keyboard');
  baton.show(player.shown?.host, active || types, active);
  face.show(player, { active, wanted: controlWanted, points: pointing() }, view);
  tune.show(player.state === 'live' ? player.shown?.host : null);
  if (player.state === 'secret') {
    stage.replaceChildren(); // who is no longer let in keeps no picture
    entrance.tryDevice();
  }
  face.entering(Boolean(entrance.waiting));
  // Once it plays, because until then it may fall back further.
  if (!player.fallback) {
    if (fallbackTold) face.hideNotice('fallback');
    fallbackTold = '';
  } else if (player.state === 'live') {
    const instead = player.transport === 'mjpeg' ? 'MJPEG' : 'JPEG over WebSocket';
    const told = `${player.fallback} Showing ${instead} instead.`;
    if (told !== fallbackTold) face.notice(told, { topic: 'fallback', action: 'Try WebRTC', onAction: () => choose('auto') });
    fallbackTold = told;
  }
  if (active && !controlTold && !face.noticing) {
    controlTold = true;
    face.notice('Clicks and scrolling go to the shared screen. Turn Control off to only watch.', { topic: 'control' });
  }
  if (!active) face.hideNotice('control');
}

setInterval(() => {
  const shown = player.shown;
  const measured = shown ? shown.meter.read(performance.now()) : { delayMs: null, legs: {} };
  face.numbers(shown, measured.delayMs);
  details.show(shown, measured, player);
  render(); // whether there is something to point at also changes with the frames
}, 500);

// ---- what the person chooses ----

function choose(choice) {
  byId('transport').value = choice;
  player.choose(choice);
}
byId('transport').value = player.choice;
byId('transport').addEventListener('change', ({ target }) => choose(target.value));
byId('quality').value = player.quality;
byId('quality').addEventListener('change', ({ target }) => player.chooseQuality(target.value));
byId('actual').addEventListener('click', () => (view.mode === 'actual' ? view.fit() : view.actual()));
byId('zoom').addEventListener('click', () => view.fit());
byId('try-now').addEventListener('click', () => player.connect());

byId('secret-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const link = readLink(byId('secret-input').value);
  byId('secret-error').textContent = link ? '' : 'There is no secret in this text.';
  if (!link) return;
  if (link.elsewhere) return location.assign(link.elsewhere);
  const { token, code } = link;
  if (token || code) {
    const role = byId('wish-click').checked ? 'click' : 'watch';
    return void entrance.knock({ ...(token ? { token } : { code }), role, name: byId('name-input').value });
  }
  keepSecret(link.secret);
  player.restart();
});
byId('name-input').value = guestName();

// ---- getting in ----

const entrance = new Entrance({
  onIn: () => player.restart(),
  onRefused: (reason) => {
    // Perhaps anyone may watch; otherwise the form stands there.
    if (player.state !== 'secret') player.restart();
    byId('secret-error').textContent = reason;
  },
  onChange: () => render(),
});

/** By a one-time link, by what the link or this tab knows, or by what the device keeps; else the host says what it needs. */
function comeIn(first = false) {
  const token = takeInvitation();
  const given = takeSecret();
  if (token) {
    player.stop();
    entrance.knock({ token });
  } else if (given || secret() || !entrance.tryDevice()) {
    if (first) player.connect();
    else player.restart();
  }
}

const screen = new FullScreen(byId('fullscreen'));
const PAN_PX = 80;
const KEYS = {
  f: () => screen.toggle(),
  Escape: () => {
    details.close();
    tune.close();
  },
  '+': () => view.step(1), '=': () => view.step(1), '-': () => view.step(-1), 0: () => view.fit(), 1: () => view.actual(),
  ArrowLeft: () => view.pan(PAN_PX, 0), ArrowRight: () => view.pan(-PAN_PX, 0),
  ArrowUp: () => view.pan(0, PAN_PX), ArrowDown: () => view.pan(0, -PAN_PX),
};
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest?.('input, select, textarea')) return;
  if (event.key.startsWith('Arrow') && (!view.canPan || event.target.closest?.('aside'))) return;
  const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!act) return;
  if (event.key !== 'Escape') event.preventDefault();
  act();
});

// ---- the page's life ----

const wakefulness = new Wakefulness({
  watched: () => pip.active,
  onSleep: () => {
    input.letGo();
    player.sleep();
  },
  onWake: () => {
    if (player.state === 'secret') return;
    player.shown?.element.play?.().catch(() => {}); // some phones pause it in the background
    player.wake();
    player.connect();
  },
  onDoubt: () => player.doubt(),
});
addEventListener('hashchange', () => /[#&][st]=/.test(location.hash) && comeIn());
addEventListener('pagehide', () => {
  input.letGo();
  player.stop();
});
addEventListener('pageshow', (event) => event.persisted && player.restart());

/**
 * For tests and consoles: what the page shows, as it is at the moment of asking. Nothing here can be set.
 * `state` is `entering`, `connecting`, `live`, `reconnecting`, `asleep` or `secret`; `transport` one of TRANSPORTS; `codec` `h264`,
 * `vp8`, `jpeg` or null; `delayMs`, `fps` and `epoch` are null where unknown; `frames` counts the session's pictures;
 * `pc` is the RTCPeerConnection, or null; `host` what the host last said of itself; `legs` the delay's parts in ms; `zoom` is 1 where
 * everything fits.
 */
Object.defineProperty(window, 'lenscast', {
  get: () => {
    const shown = player.shown;
    const { delayMs, legs } = shown?.meter.read(performance.now()) ?? { delayMs: null, legs: {} };
    return Object.freeze({
      state: entrance.waiting ? 'entering' : player.state, reason: player.reason, fallback: player.fallback,
      transport: player.transport, transportName: transportName(shown), codec: shown?.codec ?? null,
      width: shown?.width ?? 0, height: shown?.height ?? 0, fps: shown?.fps ?? null, frames: shown?.frames ?? 0,
      delayMs, legs, epoch: shown?.epoch ?? null, pc: shown?.pc ?? null, controlling: controlling(), pointing: pointing(),
      zoom: view.zoom, quality: player.quality, pictureInPicture: pip.active, typing: keyboard.on, locked: lock.locked,
      host: shown?.host ? { ...shown.host } : null,
    });
  },
});

comeIn(true);
