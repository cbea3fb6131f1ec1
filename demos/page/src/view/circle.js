// The loop as a circle: three phases, an arrow round, and a token for each thread where it is now.
/** @import { Phase, State } from '../types.d.ts' */
/** @import { Scene } from '../app.js' */
/** @import { Trace } from '../trace/trace.js' */

import { duration } from '../trace/amounts.js';
import { taskLabel, workerSign } from '../trace/words.js';
import { byId, html, keep, say, set, svg } from './dom.js';

const MIDDLE = { x: 200, y: 165 };
const RADIUS = 122;
/** Where on the circle each phase has its middle: degrees, clockwise from the right. */
const ANGLE = { run: 180, wait: 300, timers: 420 };
const HALF = 52;

const PHASES = /** @type {const} */ ([
  { phase: 'run', number: 1, words: ['run what', 'is ready'], of: 'executor' },
  { phase: 'wait', number: 2, words: ['check for', 'input'], of: 'reactor' },
  { phase: 'timers', number: 3, words: ['fire what', 'is due'], of: 'timers' },
]);

/**
 * The threads that have a token: those that run tasks, as far as there is room.
 *
 * @param {Trace} trace
 * @param {State} state
 */
const shownLoops = (trace, state) =>
  trace.loops
    .slice(0, 16)
    .map((index) => ({ one: state.workers[index], index }))
    .filter(({ one }) => one !== undefined);

const cardOf = (/** @type {string} */ name) =>
  /** @type {Element} */ (document.querySelector(`.card.${name}`));

const point = (/** @type {number} */ degrees, radius = RADIUS) => {
  const angle = (degrees * Math.PI) / 180;
  return {
    x: MIDDLE.x + radius * Math.cos(angle),
    y: MIDDLE.y + radius * Math.sin(angle),
  };
};

/** @param {number} middle */
function arc(middle) {
  const [from, to] = [point(middle - HALF), point(middle + HALF)];
  return `M${from.x} ${from.y}A${RADIUS} ${RADIUS} 0 0 1 ${to.x} ${to.y}`;
}

/** @param {number} middle */
function tip(middle) {
  const end = middle + HALF;
  const corners = [point(end + 5), point(end - 2, RADIUS + 10), point(end - 2, RADIUS - 10)];
  return `M${corners.map(({ x, y }) => `${x} ${y}`).join('L')}z`;
}

/** How long the longest part of a name is that a line cannot be broken in. */
const longestWord = (/** @type {string} */ name) =>
  Math.max(1, ...name.split(/[\s-]/).map((word) => [...word].length));

export class Circle {
  #root = byId('circle');
  #workers = byId('workers');
  #tokens = svg('g');
  /** @type {{ phase: Phase, parts: SVGElement[] }[]} */
  #phases = [];
  #cards = PHASES.map(({ phase, of }) => /** @type {const} */ ([phase, cardOf(of)]));
  #what = html('p', { class: 'what' });
  #who = html('p', { class: 'who' });
  #note = html('p', { class: 'note' });

  /** @param {() => void} onPlay */
  constructor(onPlay) {
    const picture = svg('svg', { viewBox: '20 20 360 290', 'aria-hidden': true });
    picture.setAttribute('aria-hidden', 'true');
    for (const { phase, number, words, of } of PHASES) {
      const middle = ANGLE[phase];
      const at = point(middle);
      const path = svg('path', { class: 'arc', d: arc(middle) });
      const head = svg('path', { class: 'tip', d: tip(middle) });
      const label = svg(
        'g',
        { class: 'station', transform: `translate(${at.x} ${at.y})` },
        svg('rect', { x: -45, y: -23, width: 90, height: 46, rx: 12 }),
        svg('text', { y: -4 }, `${number} ${words[0]}`),
        svg('text', { y: 14 }, words[1]),
      );
      const group = svg('g', {}, path, head, label);
      group.style.setProperty('--of', `var(--${of})`);
      picture.append(group);
      this.#phases.push({ phase, parts: [path, head, label] });
    }
    picture.append(this.#tokens);
    const middle = html('div', { class: 'middle', 'data-place': 'middle' });
    const play = html('button', { class: 'start', type: 'button' }, 'Play ▸');
    play.addEventListener('click', onPlay);
    middle.append(this.#what, this.#who, this.#note, play);
    this.#root.append(picture, middle);
  }

  /** @param {Scene} scene */
  render(scene) {
    const { state, worker } = scene;
    const acting = state.workers[worker];
    for (const { phase, parts } of this.#phases) {
      for (const part of parts) part.classList.toggle('here', acting?.phase === phase);
    }
    for (const [phase, card] of this.#cards) {
      card.classList.toggle('here', acting?.phase === phase);
    }
    document.body.classList.toggle('quick', scene.quick);
    document.body.classList.toggle('begin', scene.index === -1);
    this.#renderTokens(scene);
    this.#renderMiddle(scene);
    this.#renderWorkers(scene);
  }

  /**
   * A token has gone round once for each turn: its angle only grows, and is the same whichever way
   * the reader came.
   *
   * @param {Scene} scene
   */
  #renderTokens({ state, trace, worker }) {
    const seen = { run: 0, wait: 0, timers: 0, none: 0 };
    const loops = shownLoops(trace, state);
    loops.forEach(({ one, index }, place) => {
      let token = /** @type {SVGElement | undefined} */ (this.#tokens.children[place]);
      if (!token) {
        token = svg('g', { class: 'token' }, svg('circle', { r: 11 }), svg('text', { y: 4.5 }));
        token.style.transformOrigin = `${MIDDLE.x}px ${MIDDLE.y}px`;
        this.#tokens.append(token);
      }
      const nth = seen[one.phase];
      seen[one.phase] += 1;
      const spread = 34 + nth * 11;
      const base = one.phase === 'none' ? ANGLE.run : ANGLE[one.phase];
      const degrees = 360 * (one.turn % 1000) + base - spread;
      token.style.transform = `rotate(${degrees}deg)`;
      const [disc, text] = token.children;
      set(disc, { cx: MIDDLE.x + RADIUS, cy: MIDDLE.y });
      set(text, { x: MIDDLE.x + RADIUS, y: MIDDLE.y + 4.5 });
      set(text, { transform: `rotate(${-degrees} ${MIDDLE.x + RADIUS} ${MIDDLE.y})` });
      say(text, loops.length < 2 ? '' : workerSign(trace, index));
      token.classList.toggle('other', index !== worker);
      token.classList.toggle('unborn', one.phase === 'none');
    });
    while (this.#tokens.children.length > loops.length) {
      this.#tokens.lastElementChild?.remove();
    }
  }

  /** @param {Scene} scene */
  #renderMiddle(scene) {
    const { state, trace, worker } = scene;
    const one = state.workers[worker];
    const put = (/** @type {string} */ what, /** @type {string} */ who, note = '') => {
      say(this.#what, what);
      say(this.#who, who);
      say(this.#note, note);
      const polling = one?.polling !== null && one !== undefined;
      this.#who.className = polling ? 'who' : 'who calm';
      this.#who.style.setProperty('--longest', String(longestWord(who)));
    };
    if (!one || one.phase === 'none') return put('', '');
    if (one.polling !== null) {
      const label = taskLabel(trace, one.polling);
      const number = `task ${one.polling}`;
      return put('polling', label, label === number ? '' : number);
    }
    const turn = one.turn > 0 ? `turn ${one.turn.toLocaleString('en')}` : '';
    if (one.parked) {
      const { ns, since } = one.parked;
      if (ns === 0) return put('a look at the kernel', 'no wait', turn);
      const most = ns === null ? 'until something happens' : `at most ${duration(ns)}`;
      return put(`since ${duration(since)}`, 'asleep', most);
    }
    if (one.phase === 'timers') return put('firing', 'timers', turn);
    if (one.phase === 'wait') return put('taking in', 'input', turn);
    return put('running', 'tasks', turn);
  }

  /** @param {Scene} scene */
  #renderWorkers({ state, trace, worker }) {
    const loops = shownLoops(trace, state);
    const rows = loops.length > 1 ? loops : [];
    keep(
      this.#workers,
      rows,
      ({ index }) => String(index),
      () => html('li'),
      (element, { one, index }) => {
        element.classList.toggle('now', index === worker);
        const name = trace.header.workers[index] ?? `worker ${index}`;
        const doing =
          one.polling !== null
            ? `polls ${taskLabel(trace, one.polling)}`
            : one.parked
              ? 'parked'
              : 'awake';
        const sign = workerSign(trace, index);
        say(element, `${name.endsWith(sign) ? name : `${sign} ${name}`}: ${doing}`);
      },
    );
  }
}
