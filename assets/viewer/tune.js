// The drawer with the filters' sliders, where the host lets viewers move them.

import { ask } from './http.js';
import { setText } from './face.js';

const STEPS = 1000; // of a slider, whatever its range, so that a logarithmic one is as fine
const HIDES = 'redact'; // the host's own: nobody far away uncovers what it hides
const byId = (id) => document.getElementById(id);

/** Keeps the sliders and the host's chain the same: what moves here goes there, and what moved there is shown here. */
export class Tune {
  #allowed = false;
  #wanted = 0; // the revision that the host says it has
  #known = null; // the one that is shown
  #specs = null;
  #chain = null;
  #patch = null; // what was moved and is not sent yet
  #busy = false;
  #rows = new Map(); // by `item/param`

  /**
   * @param {(text: string) => void} onProblem
   * @param {() => void} onOpen called before it opens: there is room for one drawer
   */
  constructor(onProblem, onOpen) {
    this.onProblem = onProblem;
    this.onOpen = onOpen;
    byId('tune-button').addEventListener('click', () => (this.open ? this.close() : this.#open()));
    byId('tune-close').addEventListener('click', () => this.close());
  }

  get open() {
    return !byId('tune').hidden;
  }

  /** Closes the drawer; the focus goes back to the button that opens it. */
  close() {
    if (!this.open) return;
    const hadFocus = byId('tune').contains(document.activeElement);
    byId('tune').hidden = true;
    byId('tune-button').setAttribute('aria-expanded', 'false');
    if (hadFocus) byId('tune-button').focus();
  }

  /** @param {{tune: boolean, chain: number}|null|undefined} host what the host last said of itself */
  show(host) {
    this.#allowed = Boolean(host?.tune);
    byId('tune-button').hidden = !this.#allowed;
    if (!this.#allowed) return this.close();
    this.#wanted = host.chain;
    if (this.open) this.#sync();
  }

  #open() {
    this.onOpen();
    byId('tune').hidden = false;
    byId('tune-button').setAttribute('aria-expanded', 'true');
    this.#known = null;
    this.#sync();
  }

  /** One request at a time: what was moved meanwhile goes with the next one, the newest value only. */
  async #sync() {
    if (this.#busy || !this.open) return;
    this.#busy = true;
    try {
      while (this.open && (this.#patch || this.#known !== this.#wanted)) {
        this.#specs ??= new Map((await this.#json('/api/v1/filters')).map((filter) => [filter.id, filter]));
        const patch = this.#patch;
        this.#patch = null;
        const wanted = this.#wanted;
        this.#chain = patch
          ? await this.#json('/api/v1/chain', {
              method: 'PATCH', headers: { 'Content-Type': 'application/merge-patch+json' }, body: JSON.stringify(patch),
            })
          : await this.#json('/api/v1/chain');
        // After a patch the host has a revision that it has not told yet.
        this.#known = patch ? this.#known : wanted;
        this.#fill();
      }
    } catch (error) {
      this.#known = this.#wanted; // the next change tries again
      this.onProblem(error.message);
    } finally {
      this.#busy = false;
    }
  }

  async #json(path, options) {
    return (await ask(path, options)).json();
  }

  #set(item, change) {
    const filters = (this.#patch ??= { filters: {} }).filters;
    const old = filters[item] ?? {};
    filters[item] = { ...old, ...change, ...(change.params ? { params: { ...old.params, ...change.params } } : {}) };
    this.#sync();
  }

  #fill() {
    const list = byId('tune-list');
    const order = this.#chain.order.filter((item) => this.#specs.has(this.#chain.filters[item].filter));
    byId('tune-empty').hidden = order.length > 0;
    const shape = order.map((item) => `${item}:${this.#chain.filters[item].filter}`).join(' ');
    if (list.dataset.shape !== shape) {
      list.dataset.shape = shape;
      this.#rows.clear();
      list.replaceChildren(...order.map((item) => this.#card(item, this.#specs.get(this.#chain.filters[item].filter))));
    }
    for (const item of order) {
      const { enabled, params } = this.#chain.filters[item];
      this.#rows.get(item)(enabled);
      for (const [id, value] of Object.entries(params)) {
        // What was moved since this answer was asked for is newer than it.
        if (this.#patch?.filters[item]?.params?.[id] === undefined) this.#rows.get(`${item}/${id}`)?.(value);
      }
    }
  }

  #card(item, spec) {
    const card = element('section');
    const title = element('h3', { id: `filter-${item}`, textContent: spec.label, title: spec.doc });
    card.setAttribute('aria-labelledby', title.id);
    const fixed = spec.id === HIDES;
    const on = element('input', { type: 'checkbox', disabled: fixed, title: fixed ? 'Only the host changes what it hides' : 'On or off' });
    on.setAttribute('aria-label', `${spec.label}: on`);
    on.addEventListener('change', () => this.#set(item, { enabled: on.checked }));
    const head = element('div', { className: 'filter-head' });
    head.append(title, on);
    card.append(head);
    this.#rows.set(item, (enabled) => {
      on.checked = enabled;
      card.classList.toggle('off', !enabled);
    });
    for (const param of fixed ? [] : spec.params) {
      const row = element('div', { className: 'param' });
      const label = element('label', { textContent: param.label, title: param.doc, htmlFor: `param-${item}-${param.id}` });
      row.append(label);
      const [controls, show] = control(param, (value) => this.#set(item, { params: { [param.id]: value } }));
      controls[0].id = label.htmlFor;
      controls[0].setAttribute('aria-label', `${spec.label}: ${param.label}`);
      row.append(...controls);
      this.#rows.set(`${item}/${param.id}`, show);
      card.append(row);
    }
    return card;
  }
}

/** The elements for one parameter, the first of them the control, and how to show a value in them. */
function control(param, set) {
  if (param.type === 'number' || param.type === 'integer') return slider(param, set);
  if (param.type === 'boolean') {
    const box = element('input', { type: 'checkbox' });
    box.addEventListener('change', () => set(box.checked));
    return [[box], (value) => (box.checked = value)];
  }
  if (param.type === 'choice') {
    const select = element('select');
    select.append(...param.options.map(({ id, label }) => element('option', { value: id, textContent: label })));
    select.addEventListener('change', () => set(select.value));
    return [[select], (value) => (select.value = value)];
  }
  if (param.type === 'color') {
    const color = element('input', { type: 'color' });
    let alpha = ''; // the browser's control has none; the host's stays
    color.addEventListener('input', () => set(color.value + alpha));
    return [[color], (value) => ([color.value, alpha] = [value.slice(0, 7), value.slice(7)])];
  }
  if (param.type === 'text') {
    const text = element('input', { type: 'text' });
    text.addEventListener('change', () => set(text.value));
    return [[text], (value) => document.activeElement !== text && (text.value = value)];
  }
  // A file lies on the host, and a curve needs more room than a drawer has.
  const fixed = element('output', { className: 'fixed' });
  return [[fixed], (value) => setText(fixed, value || '–')];
}

function slider(param, set) {
  const range = element('input', { type: 'range', min: 0, max: STEPS, step: 1 });
  const output = element('output');
  const digits = Math.max(0, Math.ceil(-Math.log10(param.step)));
  const decimals = Number.isInteger(param.step) ? 0 : digits;
  const log = param.logarithmic;
  const place = (value) => (log ? Math.log(value / param.min) / Math.log(param.max / param.min) : (value - param.min) / (param.max - param.min));
  const valueAt = (at) => (log ? param.min * (param.max / param.min) ** at : param.min + (param.max - param.min) * at);
  const write = (value) => {
    const per = param.unit === '%' ? 100 : 1;
    const text = `${(value * per).toFixed(param.unit === '%' ? Math.max(0, decimals - 2) : decimals)}${param.unit && param.unit !== '°' ? ' ' : ''}${param.unit}`;
    setText(output, text);
    range.setAttribute('aria-valuetext', text);
  };
  range.addEventListener('input', () => {
    const exact = valueAt(range.value / STEPS);
    const value = Number((Math.round(exact / param.step) * param.step).toFixed(decimals));
    write(value);
    set(value);
  });
  return [[range, output], (value) => {
    // While somebody drags it, the slider is theirs.
    if (!range.matches(':active')) range.value = place(value) * STEPS;
    write(value);
  }];
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}
