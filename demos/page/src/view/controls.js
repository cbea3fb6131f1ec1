// Buttons, the slider, the speed: what can be done with the hands.
/** @import { App, Scene } from '../app.js' */
/** @import { Trace } from '../trace/trace.js' */

import { time } from '../trace/amounts.js';
import { taskName } from '../trace/words.js';
import { SPEEDS, USUAL_SPEED, usualSpeed } from '../player.js';
import { byId, html, say, set, svg } from './dom.js';

/** Outlines in a square of 16. @type {Record<string, string>} */
const ICONS = {
  first: 'M2 2h2v12H2zM14 2v12L5 8z',
  'turn-back': 'M8 2v12L1 8zM15 2v12L8 8z',
  back: 'M11 2v12L3 8zM12 2h2v12h-2z',
  play: 'M3 1.5l11 6.5-11 6.5z',
  pause: 'M3 2h4v12H3zM9 2h4v12H9z',
  forth: 'M5 2l8 6-8 6zM2 2h2v12H2z',
  'turn-forth': 'M1 2l7 6-7 6zM8 2l7 6-7 6z',
  last: 'M12 2h2v12h-2zM2 2l9 6-9 6z',
};

/** @param {string} name */
function icon(name) {
  const shape = svg('svg', { viewBox: '0 0 16 16' }, svg('path', { d: ICONS[name] }));
  shape.setAttribute('aria-hidden', 'true');
  return shape;
}

/** @param {string} id */
const button = (id) => /** @type {HTMLButtonElement} */ (byId(id));

export class Controls {
  #slider = /** @type {HTMLInputElement} */ (byId('slider'));
  #speed = /** @type {HTMLSelectElement} */ (byId('speed'));
  #play = button('play');
  #word = html('span');
  #unfollow = button('unfollow');
  #shownAs = '';
  /** Somebody has said how fast, and it stays so. */
  #chosen = false;

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    /** @type {Record<string, () => void>} */
    const actions = {
      first: () => this.#stopAt(0),
      'turn-back': () => app.turn(-1),
      back: () => app.step(-1),
      forth: () => app.step(1),
      'turn-forth': () => app.turn(1),
      last: () => this.#stopAt(Infinity),
    };
    for (const [id, action] of Object.entries(actions)) {
      button(id).append(icon(id));
      set(button(id), { 'aria-label': button(id).title });
      button(id).addEventListener('click', action);
    }
    this.#play.addEventListener('click', () => app.play());
    this.#slider.addEventListener('input', () => this.#stopAt(Number(this.#slider.value)));
    this.#unfollow.addEventListener('click', () => app.toggleFollow(null));
    SPEEDS.forEach(({ name }, index) => {
      this.#speed.append(html('option', { value: index }, name));
    });
    this.#speed.value = String(USUAL_SPEED);
    this.#speed.addEventListener('change', () => this.changeSpeed(0));
  }

  /** For a run that is opened: at two steps a second a server would play for days. */
  /** @param {Trace} trace */
  reset(trace) {
    if (this.#chosen) return;
    this.#speed.value = String(usualSpeed(trace));
    this.app.player.go(SPEEDS[usualSpeed(trace)]);
  }

  /** @param {number} position */
  #stopAt(position) {
    this.app.player.set(false);
    this.app.goTo(position);
  }

  /** @param {number} by how many places in the list */
  changeSpeed(by) {
    this.#chosen = true;
    const index = Math.max(0, Math.min(SPEEDS.length - 1, Number(this.#speed.value) + by));
    this.#speed.value = String(index);
    this.app.player.go(SPEEDS[index]);
    this.app.draw();
  }

  /** @param {Scene} scene */
  render({ trace, index, time: now, follow }) {
    const position = index + 1;
    const total = trace.length;
    set(this.#slider, { max: total });
    this.#slider.value = String(position);
    const step = `step ${position.toLocaleString('en')} of ${total.toLocaleString('en')}`;
    set(this.#slider, { 'aria-valuetext': step });
    say(byId('where'), `${time(now)} · ${step}`);
    say(byId('title'), trace.header.title || trace.header.program || 'the loop at work');
    for (const id of ['first', 'back', 'turn-back']) button(id).disabled = position === 0;
    for (const id of ['last', 'forth', 'turn-forth']) button(id).disabled = position === total;
    this.#renderPlay();
    this.#unfollow.hidden = follow === null;
    if (follow) say(this.#unfollow, `Following ${taskName(trace, follow.task).text} ×`);
    set(this.#unfollow, { title: 'Follow no more (Escape)' });
  }

  #renderPlay() {
    const name = this.app.player.playing ? 'pause' : 'play';
    if (name === this.#shownAs) return;
    this.#shownAs = name;
    say(this.#word, name === 'play' ? 'Play' : 'Pause');
    this.#play.replaceChildren(icon(name), this.#word);
    set(this.#play, { title: `${this.#word.textContent} (space)` });
  }
}
