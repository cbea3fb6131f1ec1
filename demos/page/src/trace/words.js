// Each event in one sentence. A sentence is a list of parts: words, and names of things that can
// be followed. The log joins them; the headline makes names stand out.
/** @import { Id, TraceEvent, WokenBy } from '../types.d.ts' */
/** @import { Trace } from './trace.js' */

import { count, cut, duration } from './amounts.js';

/**
 * @typedef {'task' | 'timer' | 'source' | 'job' | 'input' | 'worker'} Thing
 * @typedef {{ thing: Thing, id: Id, text: string }} Name
 * @typedef {(string | Name)[]} Sentence
 */

/** @param {Sentence} sentence */
export const plain = (sentence) =>
  sentence.map((part) => (typeof part === 'string' ? part : part.text)).join('');

/**
 * @param {Trace} trace
 * @param {Id} id
 * @returns {Name}
 */
export function taskName(trace, id) {
  const info = trace.tasks.get(id);
  const label = info?.input != null ? `I${info.input}` : cut(info?.name ?? '', 40);
  return { thing: 'task', id, text: label ? `task ${id} (${label})` : `task ${id}` };
}

/** As short as a chip: the input's number, or the name, or the task's number. */
/**
 * @param {Trace} trace
 * @param {Id} id
 */
export function taskLabel(trace, id) {
  const info = trace.tasks.get(id);
  if (info?.input != null) return `I${info.input}`;
  return info?.name ? cut(info.name, 16) : `task ${id}`;
}

/** @param {Id} id @returns {Name} */
export const timerName = (id) => ({ thing: 'timer', id, text: `timer ${id}` });

/** Without the address that all have that are on this machine. @param {string} what */
export const shortAddress = (what) => what.replace(/127\.0\.0\.1:/g, ':');

/**
 * @param {Trace} trace
 * @param {Id} id
 * @returns {Name}
 */
export function sourceName(trace, id) {
  const info = trace.sources.get(id);
  const what = info?.what ? ` (${cut(shortAddress(info.what), 40)})` : '';
  return { thing: 'source', id, text: `source ${id}${what}` };
}

/** @param {Id} id @returns {Name} */
const jobName = (id) => ({ thing: 'job', id, text: `job ${id}` });

/** @param {number} n @param {string} letter @returns {Name} */
const inputName = (n, letter) => ({ thing: 'input', id: n, text: `${letter}${n}` });

/** At the beginning of a sentence. @param {Name} name @returns {Name} */
export const capital = (name) => ({
  ...name,
  text: name.text[0].toUpperCase() + name.text.slice(1),
});

/**
 * As short as a token: the number that its thread's name ends with, if each thread has its own.
 *
 * @param {Trace} trace
 * @param {number} index
 */
export function workerSign(trace, index) {
  const signs = trace.loops.map((one) => /\d+$/.exec(trace.header.workers[one] ?? '')?.[0]);
  const own = signs.every((sign) => sign !== undefined) && new Set(signs).size === signs.length;
  return (own && signs[trace.loops.indexOf(index)]) || String(index);
}

/**
 * @param {Trace} trace
 * @param {number} index
 * @returns {Name}
 */
export function workerName(trace, index) {
  const name = trace.header.workers[index] ?? `worker ${index}`;
  return { thing: 'worker', id: index, text: cut(name, 24) };
}

/** Who it is that turns, waits, steals: 'the loop', as long as there is only one. */
/**
 * @param {Trace} trace
 * @param {TraceEvent} event
 * @returns {Name}
 */
export function who(trace, event) {
  if (trace.loops.length < 2) return { thing: 'worker', id: 0, text: 'the loop' };
  return workerName(trace, event.w ?? 0);
}

/**
 * @param {Trace} trace
 * @param {Id} task
 * @param {WokenBy} by
 * @returns {Sentence}
 */
function wakeWords(trace, task, by) {
  const woken = taskName(trace, task);
  if (by.timer !== undefined) {
    return [capital(timerName(by.timer)), ' wakes ', woken, ': it is ready again.'];
  }
  if (by.source !== undefined) {
    const can = by.dir === 'write' ? 'may be written' : 'can be read';
    return [capital(sourceName(trace, by.source)), ` ${can}: this wakes `, woken, '.'];
  }
  if (by.thread !== undefined) return [`The thread ${cut(by.thread, 40)} wakes `, woken, '.'];
  if (by.self || by.task === task) {
    return [capital(woken), ' wakes itself: it wants to be polled again.'];
  }
  if (by.task !== undefined) return [capital(taskName(trace, by.task)), ' wakes ', woken, '.'];
  return [capital(woken), ' is woken from outside the loop.'];
}

/** @type {Record<string, string>} */
const ENDS = {
  output: ' has ended: its future is dropped.',
  panicked: ' has panicked; nobody else is harmed.',
  cancelled: ' is cancelled: its future is dropped.',
};

/**
 * @param {Trace} trace
 * @param {Extract<TraceEvent, { e: 'spawn' | 'poll' | 'polled' | 'wake' | 'end' }>} event
 * @returns {Sentence}
 */
function taskWords(trace, event) {
  const task = taskName(trace, event.task);
  switch (event.e) {
    case 'spawn': {
      const by = event.by === undefined ? [] : [' by ', taskName(trace, event.by)];
      return ['A new task is spawned', ...by, ': ', task, '.'];
    }
    case 'poll':
      return [capital(who(trace, event)), ' polls ', task, '.'];
    case 'polled':
      if (event.ready) return [capital(task), ' is done.'];
      return [capital(task), ' is not done yet: it gives the thread back.'];
    case 'wake':
      return wakeWords(trace, event.task, event.by ?? {});
    default:
      return [capital(task), ENDS[event.how] ?? ENDS.output];
  }
}

/**
 * @param {Trace} trace
 * @param {Extract<TraceEvent, { e: 'turn' | 'park' | 'unpark' | 'steal' }>} event
 * @returns {Sentence}
 */
function workerWords(trace, event) {
  const one = capital(who(trace, event));
  switch (event.e) {
    case 'turn':
      return ['A new turn: ', who(trace, event), ' runs the tasks that are ready.'];
    case 'park':
      if (event.ns === 0) return [one, ' checks for input without waiting.'];
      if (event.ns === null) return [one, ' sleeps until something happens.'];
      return [one, ` sleeps, at most ${duration(event.ns)}.`];
    case 'unpark':
      if (event.events === 0) return [one, ' goes on: there was no input.'];
      if (event.events === undefined) return [one, ' goes on.'];
      return [one, ` goes on: ${count(event.events, 'source')} had something to tell.`];
    default: {
      const stolen = count(event.tasks, 'task');
      return [one, ` steals ${stolen} from `, workerName(trace, event.from), '.'];
    }
  }
}

/**
 * @param {Trace} trace
 * @param {Extract<TraceEvent, { e: 'source' | 'gone' | 'wait' | 'ready' }>} event
 * @returns {Sentence}
 */
function sourceWords(trace, event) {
  const source = sourceName(trace, event.source);
  switch (event.e) {
    case 'source':
      return ['The reactor now watches ', source, '.'];
    case 'gone':
      return [capital(source), ' is closed.'];
    case 'wait': {
      const end = event.dir === 'read' ? ' can be read.' : ' may be written.';
      const task = event.task === undefined ? 'Somebody' : capital(taskName(trace, event.task));
      return [task, ' waits until ', source, end];
    }
    default: {
      const can = event.read ? 'has something to read' : 'has room to write';
      const both = event.read && event.write ? ' and room to write' : '';
      return [capital(source), ` ${can}${both}.`];
    }
  }
}

/**
 * @param {Trace} trace
 * @param {Extract<TraceEvent, { e: 'timer' | 'move' | 'fire' | 'cancel' }>} event
 * @returns {Sentence}
 */
function timerWords(trace, event) {
  const timer = timerName(event.timer);
  const info = trace.timers.get(event.timer);
  switch (event.e) {
    case 'timer': {
      const far = `, due in ${duration(Math.max(0, event.due - event.t))}.`;
      const owner = info?.task;
      if (owner === undefined) return [capital(timer), ' is set', far];
      return [capital(taskName(trace, owner)), ' sets ', timer, far];
    }
    case 'move':
      return [capital(timer), ` moves to level ${event.level}, slot ${event.slot}.`];
    case 'fire': {
      const owner = info?.task;
      if (owner === undefined) return [capital(timer), ' is due: it fires.'];
      return [capital(timer), ' is due: it fires for ', taskName(trace, owner), '.'];
    }
    default:
      return [capital(timer), ' is cancelled before it was due.'];
  }
}

/**
 * @param {Trace} trace
 * @param {Extract<TraceEvent, { e: 'job' | 'job-begin' | 'job-end' }>} event
 * @returns {Sentence}
 */
function jobWords(trace, event) {
  const job = jobName(event.job);
  const info = trace.jobs.get(event.job);
  switch (event.e) {
    case 'job': {
      if (info?.task === undefined) return [capital(job), ' is given to the blocking pool.'];
      return [capital(taskName(trace, info.task)), ' gives ', job, ' to the blocking pool.'];
    }
    case 'job-begin':
      return [`The thread ${cut(event.thread ?? 'of the pool', 40)} takes `, job, '.'];
    default:
      return [capital(job), ' is done.'];
  }
}

/**
 * @param {Trace} trace
 * @param {number} index
 * @returns {Sentence}
 */
export function words(trace, index) {
  const event = trace.events[index];
  switch (event.e) {
    case 'spawn':
    case 'poll':
    case 'polled':
    case 'wake':
    case 'end':
      return taskWords(trace, event);
    case 'turn':
    case 'park':
    case 'unpark':
    case 'steal':
      return workerWords(trace, event);
    case 'source':
    case 'gone':
    case 'wait':
    case 'ready':
      return sourceWords(trace, event);
    case 'timer':
    case 'move':
    case 'fire':
    case 'cancel':
      return timerWords(trace, event);
    case 'job':
    case 'job-begin':
    case 'job-end':
      return jobWords(trace, event);
    case 'input':
      return [inputName(event.n, 'I'), ` is taken in: ${cut(event.text, 44)}`];
    default: {
      const input = trace.inputs.get(event.n);
      const failed = event.ok === false ? ' (an error)' : '';
      const what = cut(input?.text || event.text, 44);
      return [inputName(event.n, 'O'), ` leaves${failed}: ${what}`];
    }
  }
}
