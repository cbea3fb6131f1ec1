// One moment of the loop. Plain data: it is copied for a checkpoint and drawn, nothing else.
/** @import { Id, SourceState, State, TaskState, WorkerState } from '../types.d.ts' */

/** @param {number} workers */
export function emptyState(workers) {
  /** @type {State} */
  const state = {
    workers: [],
    queues: [],
    tasks: new Map(),
    sources: new Map(),
    timers: new Map(),
    jobs: new Map(),
    threads: [],
    trail: null,
    polls: 0,
    wakes: 0,
  };
  if (workers > 0) workerOf(state, workers - 1);
  return state;
}

/**
 * @param {State} state
 * @param {number} index
 * @returns {WorkerState}
 */
export function workerOf(state, index) {
  while (state.workers.length <= index) {
    state.workers.push({ phase: 'none', turn: 0, polling: null, parked: null });
    state.queues.push([]);
  }
  return state.workers[index];
}

/** How many things a copy of a state holds: what a checkpoint costs. @param {State} state */
export function sizeOf(state) {
  const { tasks, sources, timers, jobs, workers } = state;
  return tasks.size + sources.size + timers.size + jobs.size + workers.length;
}

/**
 * @template {object} T
 * @param {Map<Id, T>} map
 * @returns {Map<Id, T>}
 */
const copyMap = (map) => new Map(Array.from(map, ([key, value]) => [key, { ...value }]));

/**
 * A copy that shares nothing that changes.
 *
 * @param {State} state
 * @returns {State}
 */
export function copyOf(state) {
  const sources = Array.from(state.sources, ([key, source]) => {
    const copy = { ...source, readers: [...source.readers], writers: [...source.writers] };
    return /** @type {[Id, SourceState]} */ ([key, copy]);
  });
  const tasks = Array.from(state.tasks, ([key, task]) => {
    const copy = { ...task, timers: [...task.timers] };
    return /** @type {[Id, TaskState]} */ ([key, copy]);
  });
  return {
    ...state,
    workers: state.workers.map((worker) => ({ ...worker })),
    queues: state.queues.map((queue) => [...queue]),
    tasks: new Map(tasks),
    sources: new Map(sources),
    timers: copyMap(state.timers),
    jobs: copyMap(state.jobs),
    threads: [...state.threads],
  };
}

/**
 * @param {State} state
 * @param {Id} id
 * @param {number} now
 * @returns {TaskState}
 */
export function taskOf(state, id, now) {
  const known = state.tasks.get(id);
  if (known) return known;
  /** @type {TaskState} */
  const task = {
    id,
    status: 'waiting',
    since: now,
    polls: 0,
    again: false,
    over: false,
    timers: [],
  };
  state.tasks.set(id, task);
  return task;
}

/**
 * @param {State} state
 * @param {Id} id
 * @returns {SourceState}
 */
export function sourceOf(state, id) {
  const known = state.sources.get(id);
  if (known) return known;
  const source = { id, readable: false, writable: false, readers: [], writers: [] };
  state.sources.set(id, source);
  return source;
}
