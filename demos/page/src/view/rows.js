// What the time line has in its rows: inputs, tasks or threads; which of them, when there are many.
/** @import { Id, InputInfo, TaskInfo } from '../types.d.ts' */
/** @import { Trace } from '../trace/trace.js' */
/** @import { Scene } from '../app.js' */

import { taskLabel, workerSign } from '../trace/words.js';

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
  return trace.loops.length > 1 ? 'workers' : 'tasks';
}

/**
 * The last `room` things that had begun by now, but first of all what this event is about and what
 * is followed, then those that have not ended.
 *
 * @template T
 * @param {T[]} all in order of their beginning
 * @param {(one: T) => { from: number, to: number }} span the events that began and ended it
 * @param {number} index
 * @param {number} room
 * @param {(T | undefined)[]} wanted
 * @returns {T[]}
 */
export function nearby(all, span, index, room, wanted = []) {
  if (all.length <= room) return all;
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (span(all[middle]).from <= index) low = middle + 1;
    else high = middle;
  }
  const begun = low;
  const picked = new Set(wanted.flatMap((one) => placeOf(all, one)).slice(0, room));
  for (let at = begun - 1; at >= 0 && at >= begun - 2000 && picked.size < room - 2; at -= 1) {
    const { to } = span(all[at]);
    if (to === -1 || to >= index) picked.add(at);
  }
  for (let at = begun - 1; at >= 0 && picked.size < room - 1; at -= 1) picked.add(at);
  for (let at = begun; at < all.length && picked.size < room; at += 1) picked.add(at);
  for (let at = begun - 1; at >= 0 && picked.size < room; at -= 1) picked.add(at);
  return [...picked].sort((a, b) => a - b).map((at) => all[at]);
}

/**
 * @template T
 * @param {T[]} all
 * @param {T | undefined} one
 */
function placeOf(all, one) {
  const place = one === undefined ? -1 : all.lastIndexOf(one);
  return place === -1 ? [] : [place];
}

const ofInput = (/** @type {InputInfo} */ { taken, left }) => ({ from: taken, to: left });
const ofTask = (/** @type {TaskInfo} */ { spawned, ended }) => ({ from: spawned, to: ended });

/** Names that many have get a number. */
/**
 * @param {Trace} trace
 * @param {Id} id
 */
function rowName(trace, id) {
  const { input, name } = trace.task(id);
  const label = taskLabel(trace, id);
  return input !== null || !name || /\d$/.test(label) ? label : `${label} ${id}`;
}

/** How many there are in all. @param {Trace} trace @param {RowKind} kind */
export function rowCount(trace, kind) {
  const all = { inputs: trace.inputList, tasks: trace.taskList, workers: trace.loops };
  return all[kind].length;
}

/**
 * @param {Scene} scene
 * @param {RowKind} kind
 * @param {number} room
 * @returns {Row[]}
 */
export function rowsOf({ trace, index, task, follow, calm }, kind, room) {
  // when steps are too quick to be read, rows should not jump with each of them
  const ids = [...(follow ? trace.story(follow.task).tasks : []), calm ? task : undefined];
  const tasks = ids.map((id) => (id === undefined ? id : trace.tasks.get(id)));
  if (kind === 'inputs') {
    const wanted = tasks.map((one) => trace.inputs.get(one?.input ?? -1));
    return nearby(trace.inputList, ofInput, index, room, wanted).map((input) => ({
      label: `I${input.n}`,
      text: input.text,
      ...ofInput(input),
      end: `O${input.n}`,
      ok: input.ok,
      task: input.task,
      marks: [],
    }));
  }
  if (kind === 'tasks') {
    return nearby(trace.taskList, ofTask, index, room, tasks).map((task) => ({
      label: rowName(trace, task.id),
      text: '',
      ...ofTask(task),
      end: '',
      ok: true,
      task: task.id,
      marks: trace.pollsOf(task.id),
    }));
  }
  return trace.loops.slice(0, room).map((worker) => ({
    label: workerSign(trace, worker),
    text: trace.header.workers[worker] ?? '',
    from: -1,
    to: -1,
    end: '',
    ok: true,
    task: undefined,
    marks: trace.pollsBy(worker),
  }));
}
