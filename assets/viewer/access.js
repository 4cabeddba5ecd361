// What lets this page in: the secret or the session, kept for this tab only; and what the device may keep for longer.

const KEY = 'lenscast-secret';
const DEVICE = 'lenscast-device';
const NAME = 'lenscast-name';
let current = null;

/** The secret, or null where the page was opened without one. */
export function secret() {
  return current;
}

/** Keeps a secret for this tab, so that a reload doesn't need the link again. */
export function keepSecret(value) {
  current = value || null;
  try {
    if (current) sessionStorage.setItem(KEY, current);
    else sessionStorage.removeItem(KEY);
  } catch { /* storage is blocked: the secret lives as long as the page */ }
}

/** What this device was given to come back with, or null. */
export const device = () => kept(DEVICE);
export const keepDevice = (value) => keep(DEVICE, value);
export const forgetDevice = () => keep(DEVICE, null);

/** How the person wants to be called. */
export const guestName = () => kept(NAME) ?? '';
export const keepName = (value) => keep(NAME, value.trim() || null);

function kept(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

function keep(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch { /* storage is blocked: next time it is asked for again */ }
}

/** Takes the token of a one-time link out of the address. @returns {string|null} */
export function takeInvitation() {
  const found = fromFragment(location.hash, 't');
  if (found) history.replaceState(null, '', location.pathname + location.search);
  return found;
}

/**
 * Takes the secret out of the address, else out of this tab's storage.
 * It leaves the address bar, so that a screenshot or a shared window doesn't show it.
 * @returns {boolean} whether the address carried one
 */
export function takeSecret() {
  const found = fromFragment(location.hash);
  if (found) {
    keepSecret(found);
    history.replaceState(null, '', location.pathname + location.search);
    return true;
  }
  try { current ??= sessionStorage.getItem(KEY); } catch { /* as above */ }
  return false;
}

/**
 * Understands what somebody types or pastes: the code, a whole link, its fragment or the bare secret.
 * @param {string} text
 * @returns {{secret?: string, token?: string, code?: string, elsewhere: string|null}|null} `elsewhere` is the link, when
 * it is another host's
 */
export function readLink(text) {
  const trimmed = text.trim();
  if (!trimmed) return null;
  if (/^(\d[ -]?){8}$/.test(trimmed)) return { code: trimmed.replace(/[ -]/g, ''), elsewhere: null };
  if (/^https?:\/\//i.test(trimmed)) {
    let url;
    try { url = new URL(trimmed); } catch { return null; }
    const found = either(url.hash);
    return found && { ...found, elsewhere: url.origin === location.origin ? null : url.href };
  }
  if (trimmed.includes('#')) {
    const found = either(trimmed.slice(trimmed.indexOf('#')));
    return found && { ...found, elsewhere: null };
  }
  const bare = trimmed.replace(/^s=/, '');
  // A header takes printable ASCII only; anything else can't be a secret.
  return /^[\x21-\x7e]+$/.test(bare) ? { secret: bare, elsewhere: null } : null;
}

function either(fragment) {
  const secret = fromFragment(fragment);
  const token = fromFragment(fragment, 't');
  return secret ? { secret } : token && { token };
}

function fromFragment(fragment, name = 's') {
  // Not URLSearchParams: that would turn a plus of the secret into a space.
  const value = new RegExp(`^#(?:.*&)?${name}=([^&]*)`).exec(fragment)?.[1];
  if (!value) return null;
  let found = value;
  try { found = decodeURIComponent(value); } catch { /* not encoded: as it stands */ }
  return /^[\x21-\x7e]+$/.test(found) ? found : null;
}
