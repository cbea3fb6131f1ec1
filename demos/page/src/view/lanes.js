// The time line: a bar for each input from I to O, so that who overtook whom is seen at a glance.
// It is drawn in two layers: the bars, which seldom change, and now, which does with every step.
/** @import { Id } from '../types.d.ts' */
/** @import { Scene } from '../app.js' */
/** @import { Row, RowKind } from './rows.js' */

import { cut } from '../trace/amounts.js';
import { FONT, prepare } from './canvas.js';
import { byId, html, say, set } from './dom.js';
import { palette } from './palette.js';
import { bestRows, rowCount, rowsOf } from './rows.js';
import { Scale, partOf } from './scale.js';
import { sizeOf } from './size.js';

/** Room for the names at the left: an input's is short, a task's may be long. */
const LABEL = { inputs: 46, tasks: 116, workers: 46 };
const MARGIN = 44;
const LEAST_ROW = 16;
const MOST_ROW = 26;
const MOST_ROWS = 40;
const SCALE = 16;

const END_FONT = `700 12px ${FONT}`;
const endOf = (/** @type {Row} */ { end, ok }) => (ok || !end ? end : `${end} !`);

/** @type {Record<RowKind, string>} */
const TITLES = {
  inputs: 'Inputs and outputs',
  tasks: 'Tasks and their polls',
  workers: 'Threads and their polls',
};

export class Lanes {
  #box = byId('lanes');
  #title = byId('lanes-title');
  #order = byId('order');
  #bars = html('canvas', { role: 'img', 'aria-labelledby': 'lanes-title order' });
  #now = html('canvas', { 'aria-hidden': 'true' });
  #hand = html('div', { class: 'hand' });
  #rows = /** @type {HTMLSelectElement} */ (byId('rows'));
  #across = /** @type {HTMLSelectElement} */ (byId('across'));
  #drawn = '';
  /** The height of a row. */
  #row = MOST_ROW;
  /** @type {Row[]} */
  #shown = [];
  /** @type {Scene | null} */
  #scene = null;
  /** Made with each picture. */
  #scale = /** @type {Scale} */ (/** @type {unknown} */ (null));
  /** Whether somebody has said which rows there are to be. */
  #isChosen = false;
  /** The one that a hand pulls along: it stays while the picture changes under the hand. */
  #held = this.#scale;

  /**
   * @param {(index: number) => void} onJump
   * @param {(task: Id) => void} onFollow
   * @param {() => void} onChange
   */
  constructor(onJump, onFollow, onChange) {
    this.#box.append(this.#now, this.#bars, this.#hand);
    set(this.#now, { 'aria-hidden': 'true' });
    this.#rows.addEventListener('change', () => {
      this.#isChosen = true;
    });
    for (const choice of [this.#rows, this.#across]) choice.addEventListener('change', onChange);
    const go = (/** @type {PointerEvent} */ event) => {
      if (event.buttons !== 1 || !this.#scene || event.offsetX < this.#label) return;
      if (event.type === 'pointerdown') this.#held = this.#scale;
      onJump(this.#held.indexAt(event.offsetX));
    };
    this.#box.addEventListener('pointerdown', go);
    this.#box.addEventListener('click', ({ offsetX, offsetY }) => {
      const row = this.#shown[Math.floor(offsetY / this.#row)];
      if (offsetX < this.#label && row?.task !== undefined) onFollow(row.task);
    });
    this.#box.addEventListener('pointermove', go);
  }

  /** A new trace: the rows that tell most of it, until somebody says which. */
  reset() {
    this.#isChosen = false;
    this.#drawn = '';
  }

  /** @param {Scene} scene */
  render(scene) {
    this.#scene = scene;
    // Of a run that is watched it is not known before its first input that it has any.
    if (!this.#isChosen) this.#rows.value = bestRows(scene.trace);
    const kind = /** @type {RowKind} */ (this.#rows.value);
    const { width, height } = sizeOf(this.#bars);
    const space = height - SCALE;
    const room = Math.max(1, Math.min(MOST_ROWS, Math.floor(space / LEAST_ROW)));
    this.#shown = rowsOf(scene, kind, room);
    const high = Math.floor(space / Math.max(1, this.#shown.length));
    this.#row = Math.max(LEAST_ROW, Math.min(MOST_ROW, high));
    this.#scale = this.#scaleOf(scene, kind);
    this.#renderTitle(scene, kind);
    const rows = this.#shown.map((row) => `${row.label} ${row.from} ${row.to}`).join();
    const key = [kind, this.#scale.name, width, height, scene.trace.length, rows,
      palette().ink, scene.follow?.task, scene.trace.header.started].join('|');
    if (key !== this.#drawn) this.#drawBars(scene);
    this.#drawn = key;
    this.#drawNow(scene);
    this.#renderOrder(scene);
  }

  get #label() {
    return LABEL[/** @type {RowKind} */ (this.#rows.value)];
  }

  /**
   * @param {Scene} scene
   * @param {RowKind} kind
   */
  #scaleOf({ trace, index }, kind) {
    const across = this.#across.value;
    const whole = { from: 0, to: Math.max(0, trace.length - 1) };
    const part = across === 'all' ? whole : partOf(trace, kind, this.#shown, index);
    const left = this.#label;
    const width = Math.max(10, sizeOf(this.#bars).width - left - MARGIN);
    return new Scale(trace, part, { steps: across === 'steps', left, width });
  }

  /**
   * @param {Scene} scene
   * @param {RowKind} kind
   */
  #renderTitle({ trace }, kind) {
    const [shown, all] = [this.#shown.length, rowCount(trace, kind)];
    const some = `: ${shown} of ${all.toLocaleString('en')}`;
    say(this.#title, TITLES[kind] + (shown < all ? some : ''));
  }

  /** @param {Scene} scene */
  #drawBars(scene) {
    const { context, width, height } = prepare(this.#bars);
    const colours = palette();
    context.font = `10.5px ${FONT}`;
    context.textBaseline = 'alphabetic';
    context.strokeStyle = colours.line;
    context.fillStyle = colours.soft;
    for (const [nth, tick] of this.#scale.ticks().entries()) {
      const x = Math.round(tick.x);
      context.beginPath();
      context.moveTo(x + 0.5, 0);
      context.lineTo(x + 0.5, height - 14);
      context.stroke();
      context.textAlign = nth === 0 ? 'left' : 'center';
      context.fillText(tick.words, x, height - 3);
    }
    this.#shown.forEach((row, nth) => this.#drawRow(context, scene, row, nth, width));
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   * @param {Row} row
   * @param {number} nth
   * @param {number} width
   */
  #drawRow(context, scene, row, nth, width) {
    const colours = palette();
    const y = nth * this.#row + 2;
    const middle = y + this.#row / 2 - 2;
    const [from, to] = this.#span(row);
    const aside = scene.follow !== null && scene.follow.task !== row.task;
    context.globalAlpha = aside ? 0.4 : 1;
    context.font = `600 12px ${FONT}`;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.fillStyle = colours.ink;
    context.fillText(cut(row.label, this.#label >> 3), this.#label - 7, middle, this.#label - 9);
    context.strokeStyle = row.ok ? colours.executor : colours.wrong;
    context.lineWidth = 1.5;
    if (row.marks.length > 0) {
      this.#drawMarks(context, scene, row, y);
    } else {
      context.beginPath();
      context.roundRect(from, y, Math.max(3, to - from), this.#row - 5, 3);
      context.stroke();
    }
    context.font = `12px ${FONT}`;
    const long = context.measureText(row.text).width;
    const after = to + (row.end ? this.#endWidth(context, row) + 13 : 6);
    const [inside, right] = [long < to - from - 12, after + 60 < width];
    context.textAlign = inside || right ? 'left' : 'right';
    if (row.marks.length === 0 || !inside) {
      context.fillText(cut(row.text, 60), inside ? from + 7 : right ? after : from - 6, middle);
    }
    context.globalAlpha = 1;
  }

  /** From where to where a row's bar goes. @param {Row} row */
  #span({ from, to }) {
    const { left, width } = this.#scale;
    return [
      from === -1 ? left : this.#scale.x(from),
      to === -1 ? left + width : this.#scale.x(to),
    ];
  }

  /**
   * Each poll as long as it took; one line a pixel is enough, however many fall on it.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   * @param {Row} row
   * @param {number} y
   */
  #drawMarks(context, scene, row, y) {
    context.fillStyle = palette().executor;
    let last = -1;
    for (const index of this.#scale.within(row.marks)) {
      const from = Math.round(this.#scale.x(index));
      const to = this.#scale.x(scene.trace.endOfPoll(index));
      if (to <= last) continue;
      last = Math.max(from + 1, to);
      context.fillRect(from, y + 2, Math.max(1.5, to - from), this.#row - 9);
    }
  }

  /** @param {Scene} scene */
  #drawNow(scene) {
    const { context } = prepare(this.#now);
    const x = scene.index === -1 ? this.#label : this.#scale.x(scene.index);
    this.#hand.style.transform = `translateX(${x - 1}px)`;
    this.#shown.forEach((row, nth) => this.#fill(context, scene, row, nth));
  }

  /**
   * A bar is filled as far as it has come, and says O when that has left.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   * @param {Row} row
   * @param {number} nth
   */
  #fill(context, scene, row, nth) {
    const colours = palette();
    const [from, to] = this.#span(row);
    const over = row.to !== -1 && (row.to <= scene.index || scene.index === -1);
    const y = nth * this.#row + 2;
    const aside = scene.follow !== null && scene.follow.task !== row.task;
    context.fillStyle = row.ok ? colours.executor : colours.wrong;
    if (row.marks.length === 0 && (row.from <= scene.index || over)) {
      context.globalAlpha = (over ? 0.16 : 0.42) * (aside ? 0.4 : 1);
      const end = over ? to : Math.min(to, this.#scale.x(scene.index));
      context.fillRect(from, y, Math.max(3, end - from), this.#row - 5);
    }
    context.globalAlpha = aside || !over ? 0.4 : 1;
    context.font = END_FONT;
    context.textBaseline = 'middle';
    if (!over) context.fillStyle = colours.soft;
    if (row.to !== -1) context.fillText(endOf(row), to + 5, y + this.#row / 2 - 2);
    context.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Row} row
   */
  #endWidth(context, row) {
    const { font } = context;
    context.font = END_FONT;
    const { width } = context.measureText(endOf(row));
    context.font = font;
    return width;
  }

  /** Outputs in the order in which they left, up to now. @param {Scene} scene */
  #renderOrder({ trace, index }) {
    let left = trace.outputs.length;
    if (index >= 0) {
      let [low, high] = [0, trace.outputs.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        const at = trace.inputs.get(trace.outputs[middle])?.left ?? -1;
        if (at <= index) low = middle + 1;
        else high = middle;
      }
      left = low;
    }
    if (trace.outputs.length === 0) return say(this.#order, '');
    const numbers = trace.outputs.slice(Math.max(0, left - 12), left);
    const key = `${index === -1} ${left}`;
    if (this.#order.dataset.is === key + trace.header.started) return undefined;
    this.#order.dataset.is = key + trace.header.started;
    const names = numbers.map((n, nth) => {
      const early = trace.outputs.slice(left - numbers.length + nth + 1).some((one) => one < n);
      return html('b', { class: early ? 'early' : '' }, early ? `O${n} ↑` : `O${n}`);
    });
    const lead = left > 12 ? '… ' : '';
    const parts = names.flatMap((name, nth) => (nth === 0 ? [name] : [' → ', name]));
    const nothing = 'Nothing has left yet.';
    const list = names.length > 0 ? [`Left in this order: ${lead}`, ...parts] : [nothing];
    this.#order.replaceChildren(...list);
    set(this.#order, { title: '↑ left before an output of an earlier input' });
    return undefined;
  }
}
