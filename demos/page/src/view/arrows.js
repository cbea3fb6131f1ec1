// From cause to effect: one arrow over the picture, for this very event.
/** @import { Id, TraceEvent } from '../types.d.ts' */
/** @import { Scene } from '../app.js' */
/** @import { Wheel } from './wheel.js' */

import { byId, set, svg } from './dom.js';

/**
 * @typedef {{ x: number, y: number }} Point
 * @typedef {Point & { w?: number, h?: number }} Place a middle, and half of its width and height
 */

/** @param {string} selector @returns {Place | null} */
function middleOf(selector) {
  const element = document.querySelector(selector);
  if (!element) return null;
  const box = element.getBoundingClientRect();
  if (box.width === 0) return null;
  const [w, h] = [box.width / 2, box.height / 2];
  return { x: box.left + w, y: box.top + h, w, h };
}

/**
 * Where a line from outside meets the edge of a place.
 *
 * @param {Place} place
 * @param {Point} outside
 * @returns {Point}
 */
function border({ x, y, w = 7, h = 7 }, outside) {
  const [dx, dy] = [outside.x - x, outside.y - y];
  const reach = Math.min(
    dx === 0 ? Infinity : (w + 3) / Math.abs(dx),
    dy === 0 ? Infinity : (h + 3) / Math.abs(dy),
    1,
  );
  return { x: x + dx * reach, y: y + dy * reach };
}

/** @param {Id | undefined} id */
const quoted = (id) => CSS.escape(String(id));
const middle = () => middleOf('[data-place="middle"]');
const inQueue = (/** @type {Id} */ id) =>
  middleOf(`[data-place="queue"][data-task="${quoted(id)}"]`);
const waiting = (/** @type {Id} */ id) =>
  middleOf(`[data-place="waiting"][data-task="${quoted(id)}"]`);
const ofSource = (/** @type {Id} */ id) => middleOf(`tr[data-source="${quoted(id)}"]`);
const ofQueue = (/** @type {number} */ index) => middleOf(`.queue[data-key="${index}"] > span`);
const ofJob = (/** @type {Id} */ id) => middleOf(`[data-job="${quoted(id)}"]`);

export class Arrows {
  #layer = byId('arrows');
  #line = svg('path');
  #head = svg('path', { class: 'head' });

  /** @param {Wheel} wheel */
  constructor(wheel) {
    this.wheel = wheel;
    this.#layer.append(this.#line, this.#head);
  }

  /** @param {Scene} scene */
  render(scene) {
    const ends = scene.event && scene.calm ? this.#ends(scene, scene.event) : null;
    const [from, to, of] = ends ?? [null, null, ''];
    const over = from && to ? bend(from, to) : null;
    const line = over && from && to ? [border(from, over), over, border(to, over)] : null;
    set(this.#line, { d: line && curve(line) });
    set(this.#head, { d: line && head(line) });
    for (const path of [this.#line, this.#head]) path.style.stroke = `var(--${of || 'ink'})`;
  }

  /**
   * @param {Scene} scene
   * @param {TraceEvent} event
   * @returns {[Place | null, Place | null, string] | null}
   */
  #ends({ state }, event) {
    switch (event.e) {
      case 'wake':
        return this.#wake(event.by ?? {}, event.task);
      case 'spawn':
        return event.by === undefined ? null : [middle(), inQueue(event.task), 'executor'];
      case 'poll':
        return [middleOf('#ready'), middle(), 'executor'];
      case 'polled':
        if (event.ready) return null;
        return [middle(), waiting(event.task) ?? inQueue(event.task), 'executor'];
      case 'wait':
        return [middle(), ofSource(event.source), 'reactor'];
      case 'timer':
        return [middle(), this.wheel.anchor(state.timers.get(event.timer)), 'timers'];
      case 'job':
        return [middle(), ofJob(event.job), 'pool'];
      case 'input':
        return [middleOf('#lanes-title'), middle(), 'ink'];
      case 'output':
        return [middle(), middleOf('#order'), 'ink'];
      case 'steal':
        return [ofQueue(event.from), ofQueue(event.w ?? 0), 'executor'];
      default:
        return null;
    }
  }

  /**
   * @param {{ timer?: Id, source?: Id, thread?: string, task?: Id }} by
   * @param {Id} task
   * @returns {[Place | null, Place | null, string]}
   */
  #wake(by, task) {
    const to = inQueue(task);
    if (by.timer !== undefined) return [this.wheel.anchor(null), to, 'timers'];
    if (by.source !== undefined) return [ofSource(by.source), to, 'reactor'];
    if (by.thread !== undefined) return [middleOf('#jobs'), to, 'pool'];
    return [middle(), to, 'executor'];
  }
}

/**
 * A bend upwards, so that the line keeps clear of what lies between.
 *
 * @param {Point} from
 * @param {Point} to
 */
function bend(from, to) {
  const lift = Math.min(70, Math.hypot(to.x - from.x, to.y - from.y) * 0.22);
  return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 - lift };
}

/** @param {Point[]} points */
const curve = ([from, over, to]) => `M${from.x} ${from.y}Q${over.x} ${over.y} ${to.x} ${to.y}`;

/** @param {Point[]} points */
function head([, over, to]) {
  const slope = Math.atan2(to.y - over.y, to.x - over.x);
  const side = (/** @type {number} */ turn) => {
    const angle = slope + Math.PI + turn;
    return `${to.x + 13 * Math.cos(angle)} ${to.y + 13 * Math.sin(angle)}`;
  };
  return `M${side(0.45)}L${to.x} ${to.y}L${side(-0.45)}`;
}
