// Every step in words. Only the lines that can be seen are in the document, however many there are.
/** @import { Scene } from '../app.js' */
/** @import { Trace } from '../trace/trace.js' */
/** @import { Follow } from '../types.d.ts' */

import { time } from '../trace/amounts.js';
import { plain, words } from '../trace/words.js';
import { byId, html, keep, say, set } from './dom.js';
import { THING_OF, sign } from './signs.js';
import { sizeOf } from './size.js';

const LINE = 24;
/** No browser scrolls further than about 16 million pixels; this is far below. */
const MOST_LINES = 500_000;

export class Log {
  #list = byId('log');
  #space = html('div', { role: 'presentation' });
  #search = /** @type {HTMLInputElement} */ (byId('search'));
  #found = byId('found');
  /** Indices of the events that are listed; null: all of them. @type {number[] | null} */
  #chosen = null;
  #key = '';
  #lines = 0;
  /** How far it is scrolled. */
  #top = 0;
  #centred = -2;
  #height = 0;
  /** @type {Scene | null} */
  #scene = null;

  /**
   * @param {(index: number) => void} onJump
   * @param {() => void} onChange
   */
  constructor(onJump, onChange) {
    this.onJump = onJump;
    this.#list.append(this.#space);
    this.#list.addEventListener('scroll', () => {
      if (this.#list.scrollTop === this.#top) return;
      this.#top = this.#list.scrollTop;
      if (this.#scene) this.#renderLines(this.#scene);
    });
    this.#search.addEventListener('input', onChange);
    this.#search.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.go(event.shiftKey ? -1 : 1);
      if (event.key === 'Escape') this.#clear(onChange);
    });
  }

  /** @param {() => void} onChange */
  #clear(onChange) {
    this.#search.value = '';
    this.#list.focus();
    onChange();
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  /** To the listed event before or after this one. @param {1 | -1} way */
  go(way) {
    if (!this.#scene) return;
    const { index, trace } = this.#scene;
    const next = this.#chosen
      ? way === 1
        ? this.#chosen.find((one) => one > index)
        : this.#chosen.findLast((one) => one < index)
      : index + way;
    if (next !== undefined && next >= 0 && next < trace.length) this.onJump(next);
  }

  /** @param {Scene} scene */
  render(scene) {
    this.#scene = scene;
    const { trace, follow, index } = scene;
    const query = this.#search.value.trim().toLowerCase();
    const key = `${query}|${follow?.task}|${trace.length}|${trace.header.started}`;
    if (key !== this.#key) {
      this.#key = key;
      this.#chosen = query || follow ? choose(trace, query, follow) : null;
      say(this.#found, query ? `${this.#chosen?.length.toLocaleString('en')} found` : '');
      this.#lines = Math.min(MOST_LINES, this.#chosen?.length ?? trace.length);
      this.#space.style.height = `${this.#lines * LINE}px`;
      this.#centred = -2;
    }
    const { height } = sizeOf(this.#list);
    if (this.#centred !== index || this.#height !== height) this.#centre(index);
    this.#centred = index;
    this.#height = height;
    this.#renderLines(scene);
  }

  /** The line of an event, or the last one before it. @param {number} index */
  #lineOf(index) {
    if (!this.#chosen) return index;
    let [low, high] = [0, this.#chosen.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#chosen[middle] <= index) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The same moment is always at the same height, whichever way it was reached. */
  /** @param {number} index */
  #centre(index) {
    const line = Math.max(0, this.#lineOf(index));
    const { height } = sizeOf(this.#list);
    const most = Math.max(0, this.#lines * LINE - height);
    this.#top = Math.round(Math.max(0, Math.min(most, (line + 0.5) * LINE - height / 2)));
    this.#list.scrollTop = this.#top;
  }

  /** @param {Scene} scene */
  #renderLines({ trace, index }) {
    const total = this.#chosen?.length ?? trace.length;
    const first = Math.max(0, Math.floor(this.#top / LINE) - 2);
    const most = Math.ceil(sizeOf(this.#list).height / LINE) + 4;
    const lines = [];
    for (let line = first; line < Math.min(total, first + most); line += 1) {
      lines.push({ line, at: this.#chosen ? this.#chosen[line] : line });
    }
    keep(
      this.#space,
      lines,
      ({ at }) => `${at}`,
      ({ at }) => this.#entry(trace, at),
      (element, { line, at }) => {
        element.style.top = `${line * LINE}px`;
        const selected = at === index;
        set(element, {
          'aria-selected': selected ? 'true' : 'false',
          'aria-posinset': line + 1,
          'aria-setsize': total,
        });
      },
    );
    const shown = lines.some(({ at }) => at === index);
    set(this.#list, { 'aria-activedescendant': shown ? `step-${index}` : null });
  }

  /**
   * @param {Trace} trace
   * @param {number} at
   */
  #entry(trace, at) {
    const event = trace.events[at];
    const text = plain(words(trace, at));
    const entry = html(
      'div',
      { class: 'entry', role: 'option', id: `step-${at}`, title: text },
      html('time', {}, time(event.t)),
      sign(THING_OF[event.e]),
      html('span', { class: 'text' }, text),
    );
    entry.addEventListener('click', () => this.onJump(at));
    return entry;
  }
}

/**
 * @param {Trace} trace
 * @param {string} query
 * @param {Follow} follow
 */
function choose(trace, query, follow) {
  const among = follow ? trace.story(follow.task).events : trace.events.keys();
  const chosen = [];
  for (const index of among) {
    if (query && !plain(words(trace, index)).toLowerCase().includes(query)) continue;
    chosen.push(index);
  }
  return chosen;
}
