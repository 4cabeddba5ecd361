// Who has the control of the desktop: told when it changes, and asked for or given away with a click.

/** Watches what the host says of it. */
export class Baton {
  #told = '';

  /**
   * @param {import('./face.js').Face} face
   * @param {() => import('./session.js').Session|null} session
   */
  constructor(face, session) {
    Object.assign(this, { face, session });
  }

  /**
   * @param {import('./session.js').HostState|null|undefined} host
   * @param {boolean} active whether this viewer does something with the desktop
   * @param {boolean} asks whether it may ask for the control, which whoever only types may not
   */
  show(host, active, asks) {
    const now = !host || !active ? '' : host.local ? 'local' : host.holder === 'you' && host.asking ? 'asked' : host.holder;
    if (now === this.#told) return;
    const before = this.#told;
    this.#told = now;
    const say = (text, action, wish) => this.face.notice(text, { topic: 'baton', action, onAction: wish && (() => this.session()?.wishControl(wish)) });
    if (now === 'local') say('The person at the host is using the mouse. Yours works again in a moment.');
    else if (now === 'host') say('The person at the host has taken the control.', asks ? 'Ask for it' : '', asks && 'ask');
    else if (now === 'other') say('Somebody else controls this computer.', asks ? 'Ask for control' : '', asks && 'ask');
    else if (now === 'asked' && asks) say('Somebody asks for the control.', 'Give it', 'give');
    else if (now === 'you' && (before === 'other' || before === 'host')) say('You have the control now.');
    else this.face.hideNotice('baton');
  }
}
