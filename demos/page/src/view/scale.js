// Which part of a trace the time line shows, and where on it an event is. With many inputs that is
// the part around now: all of a long run at once would be dust.
/** @import { Trace } from '../trace/trace.js' */
/** @import { Row, RowKind } from './rows.js' */

import { duration, roundStep } from '../trace/amounts.js';

/** Where polls are drawn, a long run is shown by so many events at a time. */
const PAGE = 1000;
/** A tick of the scale for so many pixels. */
const TICK = 110;
/** A click so many pixels before an event means the event, and not the one before it. */
const NEAR = 4;

/**
 * @typedef {{ from: number, to: number }} Part the first and the last event of it
 */

/**
 * Pages overlap by half, so that there is always something on either side of now.
 *
 * @param {number} length
 * @param {number} index
 * @returns {Part}
 */
function pageAround(length, index) {
  if (index === -1 || length <= PAGE) return { from: 0, to: length - 1 };
  const from = Math.max(0, Math.floor((index - PAGE / 4) / (PAGE / 2)) * (PAGE / 2));
  return { from, to: Math.min(length - 1, from + PAGE) };
}

/**
 * The part that a few rows of many are about; everything, if there are no others.
 *
 * @param {Trace} trace
 * @param {RowKind} kind
 * @param {Row[]} rows
 * @param {number} index of the event that is now
 * @returns {Part}
 */
export function partOf(trace, kind, rows, index) {
  const last = Math.max(0, trace.length - 1);
  if (kind !== 'inputs') return pageAround(last + 1, index);
  if (rows.length === trace.inputList.length) return { from: 0, to: last };
  const begins = rows.map(({ from }) => Math.max(0, from));
  const ends = rows.map(({ to }) => (to === -1 ? last : to));
  if (index !== -1) ends.push(index);
  return { from: Math.min(...begins, ...ends), to: Math.max(...ends) };
}

export class Scale {
  /**
   * @param {Trace} trace
   * @param {Part} part
   * @param {{ steps: boolean, left: number, width: number }} how by steps or by time, and where
   */
  constructor(trace, { from, to }, { steps, left, width }) {
    this.trace = trace;
    this.from = from;
    this.to = to;
    this.steps = steps;
    this.left = left;
    this.width = width;
    const low = from === 0 ? 0 : this.#amount(from);
    const high = Math.max(low + 1, this.#amount(to));
    this.step = roundStep(high - low, Math.max(2, width / TICK));
    // From one round amount to another, so that it stays where it is for a while.
    const whole = to === trace.length - 1;
    this.low = Math.floor(low / this.step) * this.step;
    this.high = whole ? high : Math.ceil(high / this.step) * this.step;
  }

  /** @param {number} index */
  #amount(index) {
    return this.steps ? index : (this.trace.events[index]?.t ?? 0);
  }

  /** An event's place, in pixels; the nearest edge, if it is not in this part. */
  /** @param {number} index */
  x(index) {
    const at = Math.max(0, Math.min(index, this.trace.length - 1));
    return this.#place(this.#amount(at));
  }

  /** @param {number} amount */
  #place(amount) {
    const share = (amount - this.low) / (this.high - this.low);
    return this.left + this.width * Math.max(0, Math.min(1, share));
  }

  /** The last event that had happened at a place; or the next, if that is very near. */
  /** @param {number} x */
  indexAt(x) {
    const share = Math.max(0, Math.min(1, (x - this.left) / this.width));
    const amount = this.low + share * (this.high - this.low);
    const last = this.trace.length - 1;
    if (this.steps) return Math.min(last, Math.round(amount));
    const next = Math.min(last, this.trace.indexAt(amount));
    return this.x(next) - x < NEAR ? next : Math.max(0, next - 1);
  }

  /** Round amounts, where they are, and what is written below them. */
  ticks() {
    const ticks = [];
    for (let amount = this.low; amount <= this.high; amount += this.step) {
      ticks.push({ x: this.#place(amount), words: this.#words(amount) });
    }
    return ticks;
  }

  /** @param {number} amount */
  #words(amount) {
    if (this.steps) return amount.toLocaleString('en');
    if (this.low === 0) return duration(amount);
    const digits = Math.max(0, 6 - Math.floor(Math.log10(this.step)));
    const ms = (amount / 1e6).toLocaleString('en', {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    return `${ms} ms`;
  }

  /** What tells this scale from others: two that say the same draw the same. */
  get name() {
    return `${this.low} ${this.high} ${this.steps} ${this.width}`;
  }

  /** Those of some events, in their order, that are in this part. */
  /** @param {number[]} events */
  within(events) {
    let [low, high] = [0, events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events[middle] < this.from) low = middle + 1;
      else high = middle;
    }
    let end = low;
    while (end < events.length && events[end] <= this.to) end += 1;
    // the poll that was going on when this part begins
    return events.slice(Math.max(0, low - 1), end);
  }
}
