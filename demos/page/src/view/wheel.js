// The wheel of timers as rings: the innermost is level 0, whose slots are one tick wide. Timers
// move inwards as their time comes near, and leave through the middle when it has come.
/** @import { Id, TimerState } from '../types.d.ts' */
/** @import { Scene } from '../app.js' */

import { count, cut, duration } from '../trace/amounts.js';
import { taskLabel } from '../trace/words.js';
import { FONT, prepare } from './canvas.js';
import { byId, say } from './dom.js';
import { palette } from './palette.js';

const SLOTS = 64;
const TURN = Math.PI * 2;
const MOVE_MS = 380;
const still = matchMedia('(prefers-reduced-motion: reduce)');

/** The rings are open at the top: there the levels have their names. */
const GAP = TURN / 13;

/** Where a slot begins: the first is right of the gap, and they go round clockwise. */
/** @param {number} slot */
const edge = (slot) => (slot / SLOTS) * (TURN - GAP) + GAP / 2 - TURN / 4;

/** @param {number} slot */
const angle = (slot) => edge(slot + 0.5);

/** @typedef {{ x: number, y: number, inner: number, step: number, levels: number }} Rings */

export class Wheel {
  #canvas = /** @type {HTMLCanvasElement} */ (byId('wheel'));
  #words = byId('wheel-words');
  /** @type {Scene | null} */
  #scene = null;
  #since = 0;
  #under = document.createElement('canvas');
  #drawn = '';
  /** @type {Rings} */
  #rings = { x: 0, y: 0, inner: 0, step: 0, levels: 1 };

  /** @param {Scene} scene */
  render(scene) {
    const { context, width, height } = prepare(this.#canvas);
    const levels = Math.max(2, scene.trace.levels);
    const outer = Math.max(40, Math.min(width, height) / 2 - 4);
    const inner = outer * 0.25;
    const step = (outer - inner) / levels;
    this.#rings = { x: width / 2, y: height / 2, inner, step, levels };
    this.#layRings(context, width, height);
    this.#drawHands(context, scene);
    this.#drawTimers(context, scene);
    const way = this.#progress(scene);
    this.#drawTrail(context, scene, way);
    this.#drawMiddle(context, scene);
    say(this.#words, describe(scene));
    if (way < 1) requestAnimationFrame(() => this.#scene === scene && this.render(scene));
  }

  /**
   * How far a timer has come that this step has moved: all the way, but for a moment right after
   * the step, where movement is welcome.
   *
   * @param {Scene} scene
   */
  #progress(scene) {
    if (this.#scene?.index !== scene.index) this.#since = performance.now();
    this.#scene = scene;
    if (!scene.state.trail || scene.quick || still.matches) return 1;
    return Math.min(1, (performance.now() - this.#since) / MOVE_MS);
  }

  /** Where a timer is on the screen, for arrows. @param {TimerState | null | undefined} timer */
  anchor(timer) {
    const box = this.#canvas.getBoundingClientRect();
    const { x, y } = timer ? this.#place(timer.level, timer.slot) : this.#rings;
    const half = timer ? 7 : this.#rings.inner * 0.7;
    return { x: box.left + x, y: box.top + y, w: half, h: half };
  }

  /**
   * @param {number} level
   * @param {number} slot
   */
  #place(level, slot) {
    const { x, y, inner, step } = this.#rings;
    const radius = inner + step * (level + 0.5);
    return { x: x + radius * Math.cos(angle(slot)), y: y + radius * Math.sin(angle(slot)) };
  }

  /**
   * The rings stay as they are for as long as the page: they are drawn once, and laid under the
   * rest.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  #layRings(context, width, height) {
    const scale = this.#canvas.width / Math.max(1, width);
    const key = [width, height, scale, this.#rings.levels, palette().sunk].join();
    if (key !== this.#drawn) {
      this.#drawn = key;
      this.#under.width = this.#canvas.width;
      this.#under.height = this.#canvas.height;
      const under = /** @type {CanvasRenderingContext2D} */ (this.#under.getContext('2d'));
      under.setTransform(scale, 0, 0, scale, 0, 0);
      this.#drawRings(under);
    }
    if (width > 0 && height > 0) context.drawImage(this.#under, 0, 0, width, height);
  }

  /** @param {CanvasRenderingContext2D} context */
  #drawRings(context) {
    const { x, y, inner, step, levels } = this.#rings;
    const colours = palette();
    for (let level = 0; level < levels; level += 1) {
      const from = inner + step * level;
      context.beginPath();
      context.arc(x, y, from + step * 0.9, edge(0), edge(SLOTS));
      context.arc(x, y, from + step * 0.1, edge(SLOTS), edge(0), true);
      context.fillStyle = colours.sunk;
      context.fill();
      context.beginPath();
      for (let slot = 0; slot <= SLOTS; slot += 1) {
        const at = edge(slot);
        const length = slot % 8 === 0 ? 0.9 : 0.28;
        const near = from + step * 0.1;
        context.moveTo(x + near * Math.cos(at), y + near * Math.sin(at));
        context.lineTo(
          x + (from + step * length) * Math.cos(at),
          y + (from + step * length) * Math.sin(at),
        );
      }
      context.strokeStyle = colours.line;
      context.lineWidth = 1;
      context.stroke();
    }
  }

  /**
   * Where now is on each ring, if the trace says how long a tick is.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   */
  #drawHands(context, { trace, time }) {
    const { tick_ns: tick, wheel_zero: zero = 0 } = trace.header;
    if (!tick) return;
    const { x, y, inner, step, levels } = this.#rings;
    const now = Math.max(0, Math.floor((time - zero) / tick));
    context.fillStyle = palette().soft;
    for (let level = 0; level < levels; level += 1) {
      const slot = Math.floor(now / SLOTS ** level) % SLOTS;
      const [from, to] = [edge(slot), edge(slot + 1)];
      context.globalAlpha = 0.4;
      context.beginPath();
      context.arc(x, y, inner + step * (level + 0.9), from, to);
      context.arc(x, y, inner + step * (level + 0.1), to, from, true);
      context.fill();
      context.globalAlpha = 1;
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   */
  #drawTimers(context, scene) {
    const { state, follow, event } = scene;
    const colours = palette();
    const now = event && 'timer' in event ? event.timer : undefined;
    const labels = state.timers.size <= 16;
    const slots = fullSlots(scene, now);
    context.fillStyle = colours.timers;
    for (const pale of follow ? [true, false] : [false]) {
      context.globalAlpha = pale ? 0.35 : 1;
      this.#drawDots(context, follow ? slots.filter(({ marked }) => marked !== pale) : slots);
    }
    for (const { first, count: many, marked } of slots) {
      const { x, y } = this.#place(first.level, first.slot);
      context.globalAlpha = follow && !marked ? 0.35 : 1;
      if (marked) ring(context, x, y, this.#dot(many) + 3.5, colours.timers);
      if (!labels) continue;
      const owner = first.task === null ? `${first.id}` : taskLabel(scene.trace, first.task);
      const name = cut(owner, 11);
      const moving = state.trail?.timer === first.id;
      if (!moving) this.#label(context, x, y, many > 1 ? `${many}` : name);
    }
    context.globalAlpha = 1;
  }

  /** The larger, the more timers are in a slot. @param {number} many */
  #dot(many) {
    return Math.min(this.#rings.step * 0.42, 3.5 + 1.5 * Math.log2(many + 1));
  }

  /**
   * All in one stroke: there may be hundreds.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Slot[]} slots
   */
  #drawDots(context, slots) {
    context.beginPath();
    for (const { first, count: many } of slots) {
      const { x, y } = this.#place(first.level, first.slot);
      const size = this.#dot(many);
      context.moveTo(x + size, y);
      context.arc(x, y, size, 0, TURN);
    }
    context.fill();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} x
   * @param {number} y
   * @param {string} text
   */
  #label(context, x, y, text) {
    const colours = palette();
    context.font = `600 12px ${FONT}`;
    const long = context.measureText(text).width + 12;
    const outwards = x >= this.#rings.x;
    const left = outwards ? x + long > this.#rings.x * 2 : x - long > 0;
    context.textAlign = left ? 'right' : 'left';
    context.textBaseline = 'middle';
    context.lineWidth = 4;
    context.strokeStyle = colours.card;
    const at = x + (left ? -9 : 9);
    context.strokeText(text, at, y);
    context.fillStyle = colours.timers;
    context.fillText(text, at, y);
  }

  /**
   * This very event moved a timer: from where, to where.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   * @param {number} way how far it has come, from 0 to 1
   */
  #drawTrail(context, { state }, way) {
    if (!state.trail) return;
    const from = this.#place(state.trail.level, state.trail.slot);
    const timer = state.timers.get(state.trail.timer);
    const end = timer ? this.#place(timer.level, timer.slot) : this.#rings;
    const to = { x: from.x + (end.x - from.x) * way, y: from.y + (end.y - from.y) * way };
    const colour = palette().timers;
    ring(context, from.x, from.y, 6, colour);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.setLineDash([2, 4]);
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    context.setLineDash([]);
    const slope = Math.atan2(to.y - from.y, to.x - from.x);
    context.beginPath();
    for (const turn of [0, 2.6, -2.6]) {
      const reach = turn === 0 ? 0 : 11;
      const [dx, dy] = [Math.cos(slope + turn) * reach, Math.sin(slope + turn) * reach];
      context.lineTo(to.x + dx, to.y + dy);
    }
    context.fillStyle = colour;
    context.fill();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   */
  #drawMiddle(context, { event }) {
    const colours = palette();
    const { x, y, inner, step, levels } = this.#rings;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.font = `650 ${Math.min(15, inner * 0.45)}px ${FONT}`;
    context.fillStyle = event?.e === 'fire' ? colours.timers : colours.soft;
    context.fillText(event?.e === 'fire' ? 'due' : 'now', x, y);
    context.font = `11px ${FONT}`;
    context.fillStyle = colours.soft;
    for (let level = 0; level < levels; level += 1) {
      const word = level === levels - 1 ? `level ${level}` : `${level}`;
      context.fillText(word, x, y - inner - step * (level + 0.5));
    }
  }
}

/** @typedef {{ first: TimerState, count: number, marked: boolean }} Slot */

/**
 * The slots that hold timers; marked, if one of them is that of this event or of the task that is
 * followed.
 *
 * @param {Scene} scene
 * @param {Id | undefined} now
 */
function fullSlots({ state, follow }, now) {
  /** @type {Slot[]} */
  const slots = [];
  for (const timer of state.timers.values()) {
    const slot = (slots[timer.level * SLOTS + timer.slot] ??= {
      first: timer,
      count: 0,
      marked: false,
    });
    slot.count += 1;
    slot.marked ||= follow ? timer.task === follow.task : timer.id === now;
  }
  return slots.filter(Boolean);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {string} colour
 */
function ring(context, x, y, radius, colour) {
  context.beginPath();
  context.arc(x, y, radius, 0, TURN);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.stroke();
}

/** The same in words: how many, and which is next. @param {Scene} scene */
function describe({ state, trace, time }) {
  /** @type {TimerState | null} */
  let next = null;
  for (const timer of state.timers.values()) {
    if (next === null || timer.due < next.due) next = timer;
  }
  if (next === null) return 'No timer is set.';
  /** @type {Id | undefined} */
  const task = trace.timers.get(next.id)?.task;
  const whose = task === undefined ? '' : ` (${taskLabel(trace, task)})`;
  const when = next.due > time ? `in ${duration(next.due - time)}` : 'now';
  return `${count(state.timers.size, 'timer')}. Next: timer ${next.id}${whose}, ${when}.`;
}
