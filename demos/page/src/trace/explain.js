// Under the headline: what an event means, said to somebody who sees a loop for the first time.
/** @import { Id, State, TraceEvent } from '../types.d.ts' */
/** @import { Trace } from './trace.js' */

import { count, cut, duration, listing } from './amounts.js';
import { taskLabel } from './words.js';

/**
 * @param {Trace} trace
 * @param {State} state
 * @param {number} worker
 */
function readyTasks(trace, state, worker) {
  const queue = trace.loops.length < 2 ? state.queues.flat() : (state.queues[worker] ?? []);
  const names = queue.slice(0, 4).map((id) => taskLabel(trace, id));
  if (queue.length > names.length) names.push(`${queue.length - names.length} more`);
  return { count: queue.length, names: listing(names) };
}

/** What a task that is not ready is waiting for. */
/**
 * @param {Trace} trace
 * @param {State} state
 * @param {Id} id
 */
export function waitsFor(trace, state, id) {
  const timers = state.tasks.get(id)?.timers ?? [];
  const reasons = timers.slice(0, 3).map((timer) => `timer ${timer}`);
  for (const source of state.sources.values()) {
    if (source.readers.includes(id)) reasons.push(`source ${source.id} to be readable`);
    if (source.writers.includes(id)) reasons.push(`source ${source.id} to be writable`);
    if (reasons.length > 4) break;
  }
  for (const job of state.jobs.values()) {
    if (trace.jobs.get(job.id)?.task === id) reasons.push(`job ${job.id} of the pool`);
  }
  return reasons;
}

/**
 * @param {Trace} trace
 * @param {State} state
 * @param {Extract<TraceEvent, { e: 'spawn' | 'poll' | 'polled' | 'wake' | 'end' }>} event
 */
function explainTask(trace, state, event) {
  switch (event.e) {
    case 'spawn':
      return 'It stands at the end of the ready queue. Nothing of it has run yet.';
    case 'poll':
      return 'Its code runs now, until it is done or has to wait for something.';
    case 'polled': {
      if (event.ready) return 'Its output is there for whoever waits for it.';
      if (state.tasks.get(event.task)?.status === 'ready') {
        return 'It was woken in the meantime, so it stands in the ready queue again.';
      }
      const reasons = waitsFor(trace, state, event.task);
      const other = 'what another task will give it';
      const what = reasons.length > 0 ? listing(reasons) : other;
      return `It waits for ${what}. Until it is woken it costs no time, and the loop goes on.`;
    }
    case 'wake':
      return 'Waking only means to stand in the ready queue: its code runs when it is polled.';
    default:
      return '';
  }
}

/**
 * @param {Trace} trace
 * @param {State} state
 * @param {Extract<TraceEvent, { e: 'turn' | 'park' | 'unpark' | 'steal' }>} event
 */
function explainWorker(trace, state, event) {
  switch (event.e) {
    case 'turn': {
      const ready = readyTasks(trace, state, event.w ?? 0);
      if (ready.count === 0) return 'No task is ready. It looks for input next.';
      const rest = 'What becomes ready meanwhile has to wait for the next turn.';
      return `Ready: ${ready.names}. ${rest}`;
    }
    case 'park': {
      if (event.ns === 0) {
        const ready = readyTasks(trace, state, event.w ?? 0);
        if (ready.count === 0) return 'A look at the kernel, no more: something is due already.';
        return `${count(ready.count, 'task')} ready: a look at the kernel, then on with them.`;
      }
      if (trace.loops.length > 1 && event.ns === null) {
        return 'It finds no work anywhere. Whoever has some for it wakes it.';
      }
      return `Nothing is ready. ${nextDeadline(trace, state)}The kernel ends the wait earlier if ` +
        'there is input. Sleeping takes no processor time.';
    }
    case 'unpark':
      if (!event.events) return 'Time is up, or another thread has called. It looks at the clock.';
      return 'Each source that is ready wakes the tasks that left their waker with it.';
    default:
      return 'It had nothing to do: half of another queue is a fair share.';
  }
}

/**
 * @param {Trace} trace
 * @param {State} state
 */
function nextDeadline(trace, state) {
  let next = null;
  for (const timer of state.timers.values()) {
    if (next === null || timer.due < next.due) next = timer;
  }
  if (next === null) return 'No timer is set. ';
  const task = trace.timers.get(next.id)?.task;
  const whose = task === undefined ? '' : ` (${taskLabel(trace, task)})`;
  return `The next deadline is that of timer ${next.id}${whose}. `;
}

/**
 * @param {State} state
 * @param {Extract<TraceEvent, { e: 'timer' | 'move' | 'fire' | 'cancel' }>} event
 */
function explainTimer(state, event) {
  switch (event.e) {
    case 'timer': {
      const where = `level ${event.level}, slot ${event.slot}`;
      return `The wheel keeps it on ${where}: the farther away, the higher the level.`;
    }
    case 'move': {
      const down = state.trail !== null && state.trail.level > event.level;
      if (!down) return 'Its deadline was changed.';
      return `It comes down from level ${state.trail?.level}: its time is nearer now.`;
    }
    case 'fire':
      return 'Firing is no more than a wake: the task runs in the next turn.';
    default:
      return 'Its place in the wheel is free again; nobody is woken.';
  }
}

/**
 * @param {Trace} trace
 * @param {Extract<TraceEvent, { e: 'output' }>} event
 * @param {number} index
 */
function explainOutput(trace, event, index) {
  const input = trace.inputs.get(event.n);
  const earlier = trace.inFlight(index).filter((one) => one.n < event.n);
  const took =
    input && input.taken >= 0
      ? `It took ${duration(event.t - trace.events[input.taken].t)}. `
      : '';
  if (earlier.length === 0) return `${took}${cut(event.text, 120)}`;
  const overtaken = listing(earlier.slice(0, 4).map((one) => `O${one.n}`));
  return `${took}It leaves before ${overtaken}, because it was ready before. ` +
    'Nobody waited for anybody.';
}

/**
 * @param {Trace} trace
 * @param {State} state the state after the event
 * @param {number} index
 * @returns {string}
 */
export function explain(trace, state, index) {
  const event = trace.events[index];
  switch (event.e) {
    case 'spawn':
    case 'poll':
    case 'polled':
    case 'wake':
    case 'end':
      return explainTask(trace, state, event);
    case 'turn':
    case 'park':
    case 'unpark':
    case 'steal':
      return explainWorker(trace, state, event);
    case 'timer':
    case 'move':
    case 'fire':
    case 'cancel':
      return explainTimer(state, event);
    case 'source':
      return 'From now on the kernel tells when it can be read or written.';
    case 'gone':
      return 'The kernel watches it no longer.';
    case 'wait':
      return 'It leaves its waker with the source, and will be woken when it is so.';
    case 'ready':
      return 'The kernel said so, at the end of the wait. Who left a waker here is woken.';
    case 'job':
      return 'A call that blocks would hold up the loop, so a thread of its own makes it.';
    case 'job-begin':
      return 'That thread may block as long as it likes. The loop does not wait for it.';
    case 'job-end':
      return 'The thread wakes the task; if the loop sleeps, this ends its sleep.';
    case 'input':
      return 'It has its number at once. The loop will not wait for it: it goes on.';
    default:
      return explainOutput(trace, event, index);
  }
}
