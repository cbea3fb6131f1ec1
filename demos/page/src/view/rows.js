// What the time line has in its rows: inputs, tasks or threads; which of them, when there are many.
/** @import { Id } from '../types.d.ts' */
/** @import { Trace } from '../trace/trace.js' */
/** @import { Scene } from '../app.js' */

import { cut } from '../trace/amounts.js';
import { taskLabel } from '../trace/words.js';

/**
 * @typedef {object} Row
 * @property {string} label what it is called, at the left
 * @property {string} text what it is, on the bar
 * @property {number} from the event that began it (-1: before the trace)
 * @property {number} to the event that ended it (-1: after the trace)
 * @property {string} end the word at its end
 * @property {boolean} ok
 * @property {Id | undefined} task
 * @property {number[]} marks events to be marked on it
 */

/** @typedef {'inputs' | 'tasks' | 'workers'} RowKind */

/** What tells most about a trace. @param {Trace} trace @returns {RowKind} */
export function bestRows(trace) {
  if (trace.inputs.size > 0) return 'inputs';
  return trace.header.workers.length > 1 ? 'workers' : 'tasks';
}

/**
 * The last `room` things that had begun by now, but first of all those that have not ended.
 *
 * @template {{ from: number, to: number }} T
 * @param {T[]} all in order of their beginning
 * @param {number} index
 * @param {number} room
 * @returns {T[]}
 */
export function nearby(all, index, room) {
  if (all.length <= room) return all;
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle].from <= index) low = middle + 1;
    else high = middle;
  }
  const begun = low;
  const picked = new Set();
  for (let at = begun - 1; at >= 0 && at >= begun - 2000 && picked.size < room - 2; at -= 1) {
    if (all[at].to === -1 || all[at].to >= index) picked.add(at);
  }
  for (let at = begun - 1; at >= 0 && picked.size < room - 1; at -= 1) picked.add(at);
  for (let at = begun; at < all.length && picked.size < room; at += 1) picked.add(at);
  for (let at = begun - 1; at >= 0 && picked.size < room; at -= 1) picked.add(at);
  return [...picked].sort((a, b) => a - b).map((at) => all[at]);
}

/**
 * @param {Scene} scene
 * @param {RowKind} kind
 * @param {number} room
 * @returns {Row[]}
 */
export function rowsOf({ trace, index }, kind, room) {
  if (kind === 'inputs') {
    const all = [...trace.inputs.values()].map((input) => ({
      label: `I${input.n}`,
      text: input.text,
      from: input.taken,
      to: input.left,
      end: `O${input.n}`,
      ok: input.ok,
      task: input.task,
      marks: [],
    }));
    return nearby(all, index, room);
  }
  if (kind === 'tasks') {
    const all = [...trace.tasks.values()].map((task) => ({
      id: task.id,
      from: task.spawned,
      to: task.ended,
    }));
    return nearby(all, index, room).map(({ id, from, to }) => {
      const name = trace.tasks.get(id)?.name ?? '';
      const row = { label: taskLabel(trace, id), text: cut(name, 60), from, to, end: '' };
      return { ...row, ok: true, task: id, marks: trace.pollsOf(id) };
    });
  }
  return trace.header.workers.slice(0, room).map((name, worker) => ({
    label: String(worker),
    text: name,
    from: -1,
    to: -1,
    end: '',
    ok: true,
    task: undefined,
    marks: trace.pollsBy(worker),
  }));
}
