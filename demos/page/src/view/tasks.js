// The executor's side: who is ready, in which order, and who waits for what.
/** @import { Id } from '../types.d.ts' */
/** @import { Scene } from '../app.js' */

import { waitsFor } from '../trace/explain.js';
import { taskLabel, workerSign } from '../trace/words.js';
import { byId, html, keep, say, set } from './dom.js';
import { sign } from './signs.js';
import { waitingOf } from './waiting.js';

const MOST_READY = 18;
/** With a queue for each thread a queue has one line. */
const MOST_OF_SEVERAL = 3;

/** The sign of what is waited for, and its number: the chip is short, its title says it all. */
/** @param {string} reason */
function shortReason(reason) {
  const [thing, id] = reason.split(' ');
  return [sign(thing), id];
}

/**
 * One queue for each thread that runs tasks; what others have spawned stands apart, until it is
 * taken.
 *
 * @param {Scene} scene
 */
function queuesOf({ state, trace }) {
  const all = state.queues.map((queue, index) => ({ queue, index }));
  const isOwn = (/** @type {number} */ index) => trace.loops.includes(index);
  return all.filter(({ queue, index }) => isOwn(index) || queue.length > 0).slice(0, 9);
}

export class Tasks {
  #ready = byId('ready');
  #readyCount = byId('ready-count');
  #waiting = byId('waiting');
  #waitingCount = byId('waiting-count');

  /** @param {(task: Id) => void} onFollow */
  constructor(onFollow) {
    this.onFollow = onFollow;
  }

  /** @param {Scene} scene */
  render(scene) {
    this.#renderReady(scene);
    this.#renderWaiting(scene);
  }

  /** @param {Scene} scene */
  #renderReady(scene) {
    const { state, trace } = scene;
    const total = state.queues.reduce((sum, queue) => sum + queue.length, 0);
    say(this.#readyCount, `(${total.toLocaleString('en')})`);
    const several = trace.loops.length > 1;
    const most = several ? MOST_OF_SEVERAL : MOST_READY;
    const rows = several ? queuesOf(scene) : [{ queue: state.queues.flat(), index: 0 }];
    keep(
      this.#ready,
      rows,
      ({ index }) => String(index),
      () => html('div', { class: 'queue' }, html('span'), html('ul', { class: 'chips' })),
      (row, { queue, index }) => {
        const [label, list] = row.children;
        const own = trace.loops.includes(index);
        say(label, own ? workerSign(trace, index) : 'new');
        set(label, { hidden: !several, title: trace.header.workers[index] });
        set(list, { 'aria-label': several ? `Ready, queue ${index}` : 'Ready, the first is next' });
        const shown = queue.slice(0, most).map((id) => ({ id, text: taskLabel(trace, id) }));
        if (queue.length > most) shown.push({ id: -1, text: `+ ${queue.length - most}` });
        this.#chips(scene, list, shown, 'queue');
        if (queue.length === 0) list.replaceChildren(html('li', { class: 'none' }, 'nobody'));
      },
    );
  }

  /**
   * @param {Scene} scene
   * @param {Element} list
   * @param {{ id: Id, text: string }[]} shown
   * @param {string} place
   */
  #chips(scene, list, shown, place) {
    keep(
      list,
      shown,
      ({ id }) => `${id}`,
      ({ id }) => this.#chip(id),
      (item, { id, text }) => {
        const chip = /** @type {HTMLElement} */ (item.firstElementChild);
        set(chip, { 'data-place': place });
        chip.classList.toggle('now', scene.task === id);
        this.#mark(scene, chip, id);
        say(chip.children[0], text);
      },
    );
  }

  /** @param {Id} id */
  #chip(id) {
    const label = html('span');
    const why = html('span', { class: 'why' });
    const chip = html('button', { class: 'chip', type: 'button', 'data-task': id }, label, why);
    chip.addEventListener('click', () => this.onFollow(id));
    return html('li', {}, chip);
  }

  /**
   * @param {Scene} scene
   * @param {Element} chip
   * @param {Id} id
   */
  #mark({ follow, trace }, chip, id) {
    chip.classList.toggle('followed', follow?.task === id);
    chip.classList.toggle('aside', follow !== null && follow.task !== id);
    const name = trace.tasks.get(id)?.name;
    set(chip, { title: `task ${id}${name ? `: ${name}` : ''} (follow it)` });
  }

  /** @param {Scene} scene */
  #renderWaiting(scene) {
    const { state, trace } = scene;
    const { shown, total, rest } = waitingOf(scene);
    say(this.#waitingCount, `(${total.toLocaleString('en')})`);
    keep(
      this.#waiting,
      shown,
      ({ key }) => key,
      ({ id }) => (id === null ? html('li', {}, html('span')) : this.#chip(id)),
      (item, { id, text }) => {
        const chip = /** @type {HTMLElement} */ (item.firstElementChild);
        if (id === null) {
          set(chip, { class: 'chip many', title: 'so many more of this name are waiting' });
          return say(chip, text);
        }
        const reasons = waitsFor(trace, state, id);
        set(chip, { 'data-place': 'waiting' });
        chip.classList.add('waiting');
        chip.classList.toggle('now', scene.task === id);
        this.#mark(scene, chip, id);
        say(chip.children[0], text);
        const reason = reasons.join(', ');
        if (reason) set(chip, { title: `${chip.title}. Waits for ${reason}` });
        if (chip.dataset.why === reason) return undefined;
        chip.dataset.why = reason;
        return chip.children[1].replaceChildren(...reasons.slice(0, 2).flatMap(shortReason));
      },
    );
    if (rest > 0) {
      const more = `+ ${rest.toLocaleString('en')} more`;
      this.#waiting.append(html('li', { class: 'none' }, more));
    }
  }
}
