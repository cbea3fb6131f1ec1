// The reducer: a moment and an event give the next moment. Nothing here draws or looks ahead.
/** @import { Direction, Id, State, TraceEvent } from '../types.d.ts' */

import { sourceOf, taskOf, workerOf } from './state.js';

/**
 * @param {Id[]} list
 * @param {Id} id
 */
function remove(list, id) {
  const at = list.indexOf(id);
  if (at !== -1) list.splice(at, 1);
  return at !== -1;
}

/**
 * @param {State} state
 * @param {Id} id
 */
function leaveQueues(state, id) {
  for (const queue of state.queues) {
    if (remove(queue, id)) return;
  }
}

/**
 * @param {State} state
 * @param {Id} id
 */
function leaveSources(state, id) {
  for (const source of state.sources.values()) {
    remove(source.readers, id);
    remove(source.writers, id);
  }
}

/**
 * A task is ready: it goes to the end of the queue of the worker that says so.
 *
 * @param {State} state
 * @param {Id} id
 * @param {number} worker
 * @param {number} now
 */
function enqueue(state, id, worker, now) {
  const task = taskOf(state, id, now);
  if (task.status === 'ready' || task.again) return;
  if (task.status === 'polling') {
    task.again = true;
  } else {
    task.status = 'ready';
    task.since = now;
  }
  state.queues[worker].push(id);
}

/**
 * @param {State} state
 * @param {Extract<TraceEvent, { e: 'spawn' | 'poll' | 'polled' | 'wake' | 'end' }>} event
 */
function applyTask(state, event) {
  const index = event.w ?? 0;
  const worker = workerOf(state, index);
  const task = taskOf(state, event.task, event.t);
  switch (event.e) {
    case 'spawn':
      return enqueue(state, event.task, index, event.t);
    case 'wake':
      state.wakes += 1;
      if (event.by?.source !== undefined) {
        leaveDirection(state, event.by.source, event.by.dir, event.task);
      }
      return enqueue(state, event.task, index, event.t);
    case 'poll':
      if (task.status === 'ready') leaveQueues(state, event.task);
      Object.assign(task, { status: 'polling', since: event.t, polls: task.polls + 1 });
      Object.assign(worker, { phase: 'run', polling: event.task, parked: null });
      state.polls += 1;
      return undefined;
    case 'polled':
      task.status = task.again ? 'ready' : 'waiting';
      Object.assign(task, { since: event.t, again: false });
      worker.polling = null;
      if (event.ready || task.over) forget(state, event.task);
      return undefined;
    default:
      task.over = true;
      if (task.status !== 'polling') forget(state, event.task);
      return undefined;
  }
}

/**
 * @param {State} state
 * @param {Id} id
 */
function forget(state, id) {
  state.tasks.delete(id);
  leaveQueues(state, id);
  leaveSources(state, id);
}

/**
 * @param {State} state
 * @param {Id} id
 * @param {Direction | undefined} direction
 * @param {Id} task
 */
function leaveDirection(state, id, direction, task) {
  const source = state.sources.get(id);
  if (!source) return;
  if (direction !== 'write') remove(source.readers, task);
  if (direction !== 'read') remove(source.writers, task);
}

/**
 * @param {State} state
 * @param {Extract<TraceEvent, { e: 'turn' | 'park' | 'unpark' | 'steal' }>} event
 */
function applyWorker(state, event) {
  const index = event.w ?? 0;
  const worker = workerOf(state, index);
  switch (event.e) {
    case 'turn':
      Object.assign(worker, { phase: 'run', turn: worker.turn + 1, parked: null });
      break;
    case 'park':
      Object.assign(worker, { phase: 'wait', parked: { since: event.t, ns: event.ns } });
      break;
    case 'unpark':
      worker.parked = null;
      break;
    default: {
      workerOf(state, event.from);
      const stolen = state.queues[event.from].splice(0, event.tasks);
      state.queues[index].push(...stolen);
      Object.assign(worker, { phase: 'run', parked: null });
    }
  }
}

/**
 * @param {State} state
 * @param {Extract<TraceEvent, { e: 'source' | 'gone' | 'wait' | 'ready' }>} event
 */
function applySource(state, event) {
  const worker = workerOf(state, event.w ?? 0);
  if (event.e === 'gone') {
    state.sources.delete(event.source);
    return;
  }
  const source = sourceOf(state, event.source);
  if (event.e === 'wait') {
    const waiting = event.dir === 'read' ? source.readers : source.writers;
    const task = event.task ?? worker.polling;
    if (event.dir === 'read') source.readable = false;
    else source.writable = false;
    if (task !== null && !waiting.includes(task)) waiting.push(task);
  } else if (event.e === 'ready') {
    if (worker.polling === null) worker.phase = 'wait';
    source.readable ||= event.read === true;
    source.writable ||= event.write === true;
  }
}

/**
 * @param {State} state
 * @param {Extract<TraceEvent, { e: 'timer' | 'move' | 'fire' | 'cancel' }>} event
 */
function applyTimer(state, event) {
  const worker = workerOf(state, event.w ?? 0);
  const timer = state.timers.get(event.timer);
  if (timer && event.e !== 'timer') {
    state.trail = { timer: event.timer, level: timer.level, slot: timer.slot };
  }
  if (event.e === 'fire' || event.e === 'cancel') {
    const owner = timer?.task == null ? undefined : state.tasks.get(timer.task);
    if (owner) remove(owner.timers, event.timer);
    state.timers.delete(event.timer);
  } else {
    const due = event.due ?? timer?.due ?? event.t;
    const { timer: id, level, slot } = event;
    const set = event.e === 'timer' ? (event.task ?? worker.polling) : null;
    const task = timer?.task ?? set;
    if (!timer && task !== null) taskOf(state, task, event.t).timers.push(id);
    state.timers.set(id, { id, level, slot, due, task });
  }
  const turning = event.e === 'fire' || event.e === 'move';
  if (turning && worker.polling === null) worker.phase = 'timers';
}

/**
 * @param {State} state
 * @param {Extract<TraceEvent, { e: 'job' | 'job-begin' | 'job-end' }>} event
 */
function applyJob(state, event) {
  if (event.e === 'job-end') {
    state.jobs.delete(event.job);
    return;
  }
  const thread = event.e === 'job' ? null : (event.thread ?? 'a thread');
  state.jobs.set(event.job, { id: event.job, thread, since: event.t });
  if (thread !== null && !state.threads.includes(thread)) state.threads.push(thread);
}

/**
 * Changes `state` by one event.
 *
 * @param {State} state
 * @param {TraceEvent} event
 */
export function apply(state, event) {
  state.trail = null;
  switch (event.e) {
    case 'spawn':
    case 'poll':
    case 'polled':
    case 'wake':
    case 'end':
      return applyTask(state, event);
    case 'turn':
    case 'park':
    case 'unpark':
    case 'steal':
      return applyWorker(state, event);
    case 'source':
    case 'gone':
    case 'wait':
    case 'ready':
      return applySource(state, event);
    case 'timer':
    case 'move':
    case 'fire':
    case 'cancel':
      return applyTimer(state, event);
    case 'job':
    case 'job-begin':
    case 'job-end':
      return applyJob(state, event);
    default:
      return undefined;
  }
}
