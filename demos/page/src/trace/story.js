// What belongs to a task's story: its own events, and what brought them about.
/** @import { Id } from '../types.d.ts' */
/** @import { Trace } from './trace.js' */

/**
 * @typedef {object} Story
 * @property {number[]} events in their order
 * @property {Id[]} tasks that have a part in it, its own first
 */

/**
 * The events of a task, and from each the causes back to one that is its own: the job that was done
 * for it, the source that became ready, the poll of another task that woke it. An input's story
 * begins when it is taken in and ends when its output leaves.
 *
 * @param {Trace} trace
 * @param {Id} task
 * @returns {Story}
 */
export function storyOf(trace, task) {
  const input = trace.inputs.get(trace.tasks.get(task)?.input ?? -1);
  const ends = [input?.taken ?? -1, input?.left ?? -1].filter((index) => index !== -1);
  const story = new Set(ends);
  let first = ends.length > 0 ? ends[0] : -1;
  const follow = (/** @type {number} */ effect) => {
    let cause = trace.causes.causeOf(effect);
    while (cause !== -1 && cause >= first && !story.has(cause)) {
      story.add(cause);
      cause = trace.causes.causeOf(cause);
    }
  };
  for (let index = 0; index < trace.length; index += 1) {
    if (trace.taskOf(index) !== task) continue;
    if (first === -1) first = index;
    story.add(index);
    follow(index);
  }
  ends.slice(1).forEach(follow);
  const events = [...story].sort((a, b) => a - b);
  const tasks = new Set([task]);
  for (const index of events) {
    const about = trace.taskOf(index);
    if (about !== undefined) tasks.add(about);
  }
  return { events, tasks: [...tasks] };
}
