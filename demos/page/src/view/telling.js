// The telling: one sentence in big letters for this very event, what it means, and why it came.
/** @import { Name } from '../trace/words.js' */
/** @import { Scene } from '../app.js' */
/** @import { Trace } from '../trace/trace.js' */

import { count, duration } from '../trace/amounts.js';
import { explain } from '../trace/explain.js';
import { plain, words } from '../trace/words.js';
import { byId, html, say, set } from './dom.js';
import { phrase } from './signs.js';

const LINKS = 4;

export class Telling {
  #headline = byId('headline');
  #meaning = byId('meaning');
  #because = byId('because');
  #shown = '';

  /**
   * @param {(name: Name) => void} onName
   * @param {(index: number) => void} onJump
   */
  constructor(onName, onJump) {
    this.onName = onName;
    this.onJump = onJump;
  }

  /** @param {Scene} scene */
  render(scene) {
    const { trace, state, index } = scene;
    set(this.#headline, { 'aria-live': scene.playing ? 'off' : 'polite' });
    const key = `${index} ${index === -1 ? trace.length : ''} ${trace.header.started}`;
    if (key === this.#shown) return;
    this.#shown = key;
    if (index === -1) {
      const { headline, meaning, hint } = overview(trace);
      say(this.#headline, headline);
      say(this.#meaning, meaning);
      this.#because.replaceChildren(
        ...[hint, ...trace.notes].map((note) => html('span', {}, note)),
      );
      return;
    }
    this.#headline.replaceChildren(...phrase(words(trace, index), this.onName));
    say(this.#meaning, explain(trace, state, index));
    this.#renderBecause(trace, index);
  }

  /**
   * The road here, as far as it is interesting; each stop is a click.
   *
   * @param {Trace} trace
   * @param {number} index
   */
  #renderBecause(trace, index) {
    const chain = trace.causes.chain(index, LINKS + 1).slice(1);
    const parts = chain.map((cause, nth) => {
      return [nth === 0 ? 'because' : '←', this.#link(trace, cause)];
    });
    const [effect] = trace.causes.effectsOf(index, 1);
    const so = chain.length > 0 ? '· and so →' : 'and so →';
    if (effect !== undefined) parts.push([so, this.#link(trace, effect)]);
    this.#because.replaceChildren(
      ...parts.flatMap(([word, link]) => [html('span', {}, word), link]),
    );
  }

  /**
   * @param {Trace} trace
   * @param {number} index
   */
  #link(trace, index) {
    const text = plain(words(trace, index)).replace(/\.$/, '');
    const title = `Step ${index + 1}`;
    const link = html('button', { type: 'button', title }, text);
    link.addEventListener('click', () => this.onJump(index));
    return link;
  }
}

/** Before the first event: what there is to see. @param {Trace} trace */
function overview(trace) {
  const inputs = trace.inputs.size;
  const what = inputs > 0 ? `${count(inputs, 'input')}, ` : '';
  const steps = `${count(trace.length, 'step')} in ${duration(trace.end)}`;
  const early = overtaking(trace);
  const headline = early || `An event loop at work: ${what}${steps}.`;
  const meaning = trace.header.about || 'An event loop at work, as it was written down by itself.';
  return { headline, meaning, hint: `${what}${steps}. Play it, or step with the arrow keys.` };
}

/** The first output that left before one of an earlier input. @param {Trace} trace */
export function overtaking(trace) {
  for (const [at, n] of trace.outputs.entries()) {
    const later = trace.outputs.slice(at + 1, at + 200).filter((other) => other < n);
    if (later.length === 0) continue;
    const first = Math.min(...later);
    return `I${first} was taken in before I${n}, but O${n} left before O${first}.`;
  }
  return '';
}

/** Notes that somebody wrote to a recording: what to notice, and where. */
export class Captions {
  #box = byId('caption');
  #text = byId('caption-text');
  #count = byId('caption-count');
  #back = /** @type {HTMLButtonElement} */ (byId('caption-back'));
  #next = /** @type {HTMLButtonElement} */ (byId('caption-next'));

  /** @param {(index: number) => void} onJump */
  constructor(onJump) {
    this.onJump = onJump;
    this.#back.addEventListener('click', () => this.go(-1));
    this.#next.addEventListener('click', () => this.go(1));
    /** @type {Scene | null} */
    this.scene = null;
  }

  /** Which note is on the table: the last one that has been reached. @param {Scene} scene */
  static current({ trace, index }) {
    const captions = trace.header.captions ?? [];
    let current = -1;
    while (current + 1 < captions.length && captions[current + 1].at <= index) current += 1;
    return current;
  }

  /** @param {Scene} scene */
  render(scene) {
    this.scene = scene;
    const captions = scene.trace.header.captions ?? [];
    this.#box.hidden = captions.length === 0;
    if (captions.length === 0) return;
    const current = Captions.current(scene);
    const inviting = `${count(captions.length, 'note')} on what to notice in this run.`;
    say(this.#text, current === -1 ? inviting : captions[current].text);
    say(this.#count, current === -1 ? '' : `${current + 1} of ${captions.length}`);
    this.#back.disabled = current <= 0 && captions[0].at >= scene.index;
    this.#next.disabled = current === captions.length - 1;
  }

  /** To the note before or after this moment. @param {1 | -1} way */
  go(way) {
    if (!this.scene) return;
    const captions = this.scene.trace.header.captions ?? [];
    const { index } = this.scene;
    const target =
      way === 1
        ? captions.find(({ at }) => at > index)
        : captions.findLast(({ at }) => at < index);
    if (target) this.onJump(target.at);
  }
}
