// What brought an event about: told from what each thread was doing when it happened.
/** @import { Id, TraceEvent } from '../types.d.ts' */

import { Ints } from './ints.js';

const NONE = -1;

/** For each event its cause, and for each cause its effects in order. */
export class Causes {
  #cause = new Ints();
  #firstEffect = new Ints();
  #lastEffect = new Ints();
  #nextEffect = new Ints();
  /** @type {number[]} the poll in progress, by worker */
  #polling = [];
  /** @type {number[]} the wait in progress, by worker */
  #parked = [];
  /** @type {Map<string, number>} the last event of a kind about one thing */
  #last = new Map();
  /** @type {Map<Id, { task?: Id, thread?: string }>} jobs that are not done */
  #jobs = new Map();

  /**
   * @param {TraceEvent} event
   * @param {number} index
   */
  append(event, index) {
    const cause = this.#causeOf(event);
    this.#cause.push(cause);
    this.#firstEffect.push(NONE);
    this.#lastEffect.push(NONE);
    this.#nextEffect.push(NONE);
    if (cause !== NONE) this.#link(cause, index);
    this.#remember(event, index);
  }

  /** @param {number} index */
  causeOf(index) {
    return this.#cause.at(index);
  }

  /**
   * @param {number} index
   * @param {number} limit
   */
  effectsOf(index, limit = 1000) {
    const effects = [];
    let next = this.#firstEffect.at(index);
    for (; next !== NONE && effects.length < limit; next = this.#nextEffect.at(next)) {
      effects.push(next);
    }
    return effects;
  }

  /**
   * The event itself, its cause, the cause of that …: at most `limit` of them.
   *
   * @param {number} index
   * @param {number} limit
   */
  chain(index, limit = 12) {
    const chain = [];
    for (let at = index; at !== NONE && chain.length < limit; at = this.#cause.at(at)) {
      chain.push(at);
    }
    return chain;
  }

  /**
   * @param {number} cause
   * @param {number} effect
   */
  #link(cause, effect) {
    const last = this.#lastEffect.at(cause);
    if (last === NONE) this.#firstEffect.set(cause, effect);
    else this.#nextEffect.set(last, effect);
    this.#lastEffect.set(cause, effect);
  }

  /** @param {string} key */
  #recall(key) {
    return this.#last.get(key) ?? NONE;
  }

  /** @param {TraceEvent} event */
  #causeOf(event) {
    const poll = this.#polling[event.w ?? 0] ?? NONE;
    switch (event.e) {
      case 'wake':
        return this.#causeOfWake(event, poll);
      case 'poll':
        return this.#recall(`ready ${event.task}`);
      case 'polled':
        return this.#recall(`poll ${event.task}`);
      case 'unpark':
        return this.#parked[event.w ?? 0] ?? NONE;
      case 'ready': {
        const waited = event.read ? this.#recall(`wait ${event.source} read`) : NONE;
        if (waited !== NONE) return waited;
        return event.write ? this.#recall(`wait ${event.source} write`) : NONE;
      }
      case 'move':
      case 'fire':
        return this.#recall(`timer ${event.timer}`);
      case 'job-begin':
      case 'job-end':
        return this.#recall(`job ${event.job}`);
      case 'turn':
      case 'park':
      case 'steal':
        return NONE;
      default:
        return poll;
    }
  }

  /**
   * @param {Extract<TraceEvent, { e: 'wake' }>} event
   * @param {number} poll
   */
  #causeOfWake({ task, by = {} }, poll) {
    if (by.timer !== undefined) return this.#recall(`timer ${by.timer}`);
    if (by.source !== undefined) return this.#recall(`source ${by.source}`);
    if (by.thread !== undefined) {
      const done = this.#recall(`done for ${task}`);
      return done !== NONE ? done : this.#recall(`thread ${by.thread}`);
    }
    if (by.task !== undefined) return this.#recall(`poll ${by.task}`);
    if (by.self) return this.#recall(`poll ${task}`);
    return poll;
  }

  /**
   * @param {TraceEvent} event
   * @param {number} index
   */
  #remember(event, index) {
    const worker = event.w ?? 0;
    const note = (/** @type {string} */ key) => this.#last.set(key, index);
    switch (event.e) {
      case 'poll':
        this.#polling[worker] = index;
        return note(`poll ${event.task}`);
      case 'polled':
        this.#polling[worker] = NONE;
        return undefined;
      case 'end':
        this.#last.delete(`ready ${event.task}`);
        return undefined;
      case 'spawn':
      case 'wake':
        return note(`ready ${event.task}`);
      case 'wait':
        return note(`wait ${event.source} ${event.dir}`);
      case 'ready':
        return note(`source ${event.source}`);
      case 'timer':
      case 'move':
      case 'fire':
        return note(`timer ${event.timer}`);
      case 'job':
      case 'job-begin':
      case 'job-end':
        this.#rememberJob(event, index);
        return note(`job ${event.job}`);
      case 'park':
        this.#parked[worker] = index;
        return undefined;
      case 'unpark':
        this.#parked[worker] = NONE;
        return undefined;
      default:
        return undefined;
    }
  }

  /**
   * A wake by a thread of the pool tells only the thread: what that thread ended is what woke.
   *
   * @param {Extract<TraceEvent, { e: 'job' | 'job-begin' | 'job-end' }>} event
   * @param {number} index
   */
  #rememberJob(event, index) {
    const job = this.#jobs.get(event.job) ?? {};
    this.#jobs.set(event.job, job);
    if (event.e === 'job') job.task = event.task;
    if (event.e === 'job-begin') job.thread = event.thread;
    if (event.e !== 'job-end') return;
    if (job.task !== undefined) this.#last.set(`done for ${job.task}`, index);
    if (job.thread !== undefined) this.#last.set(`thread ${job.thread}`, index);
    this.#jobs.delete(event.job);
  }
}
