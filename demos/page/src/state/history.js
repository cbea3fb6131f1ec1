// Any moment of a trace: from the nearest checkpoint before it, replayed. Stepping back is not an
// undo: it is the same road again, so it arrives at the same picture.
/** @import { State } from '../types.d.ts' */
/** @import { Trace } from '../trace/trace.js' */

import { apply } from './apply.js';
import { copyOf, emptyState, sizeOf } from './state.js';

/** Events between checkpoints, at least; and more while much is alive, so memory stays linear. */
const EVERY = 512;

export class History {
  /** @type {{ at: number, state: State }[]} in order */
  #checkpoints;
  /** @type {State} */
  #state;
  #at = 0;
  /** Events applied since it was made: what tests count. */
  applied = 0;

  /**
   * @param {Trace} trace
   * @param {State} [initial] what there was before its first event
   */
  constructor(trace, initial = emptyState(trace.header.workers.length)) {
    this.trace = trace;
    this.#state = copyOf(initial);
    this.#checkpoints = [{ at: 0, state: copyOf(this.#state) }];
  }

  /**
   * The state after the first `position` events. It belongs to the history: look, do not keep.
   *
   * @param {number} position
   */
  at(position) {
    const target = Math.max(0, Math.min(position, this.trace.length));
    const nearest = this.#nearest(target);
    if (target < this.#at || nearest.at > this.#at) {
      this.#state = copyOf(nearest.state);
      this.#at = nearest.at;
    }
    while (this.#at < target) {
      apply(this.#state, this.trace.events[this.#at]);
      this.#at += 1;
      this.applied += 1;
      this.#keep();
    }
    return this.#state;
  }

  /** @param {number} target */
  #nearest(target) {
    let [low, high] = [0, this.#checkpoints.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#checkpoints[middle].at <= target) low = middle;
      else high = middle - 1;
    }
    return this.#checkpoints[low];
  }

  #keep() {
    const last = this.#checkpoints[this.#checkpoints.length - 1];
    if (this.#at - last.at < Math.max(EVERY, sizeOf(this.#state))) return;
    this.#checkpoints.push({ at: this.#at, state: copyOf(this.#state) });
  }
}
