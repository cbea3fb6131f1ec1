// Playing: how many steps further, given how much time has passed. It knows no page and no clock.
/** @import { Trace } from './trace/trace.js' */

/**
 * @typedef {{ name: string, steps?: number, clock?: number }} Speed
 * Steps a second, or how fast the recorded clock runs.
 */

/** @type {Speed[]} */
export const SPEEDS = [
  { name: '1 step in 2 s', steps: 0.5 },
  { name: '1 step a second', steps: 1 },
  { name: '2 steps a second', steps: 2 },
  { name: '5 steps a second', steps: 5 },
  { name: '20 steps a second', steps: 20 },
  { name: '100 steps a second', steps: 100 },
  { name: '1,000 steps a second', steps: 1000 },
  { name: '10,000 steps a second', steps: 10_000 },
  { name: 'clock: a hundredth', clock: 0.01 },
  { name: 'clock: a tenth', clock: 0.1 },
  { name: 'clock: as it was', clock: 1 },
];

export const USUAL_SPEED = 2;

/** Seconds that people watch before they want something else: a whole run, from note to note. */
const PATIENCE = { run: 150, note: 60 };

/**
 * The place in the list at which a run is played in a minute or two; with notes, at which the next
 * one is never far away.
 *
 * @param {Trace} trace
 */
export function usualSpeed(trace) {
  const notes = (trace.header.captions ?? []).map(({ at }) => at);
  const stretch = notes.length === 0 ? trace.length : longest([0, ...notes]);
  const patience = notes.length === 0 ? PATIENCE.run : PATIENCE.note;
  const usual = SPEEDS.findIndex(({ steps = 0 }) => stretch / steps < patience);
  return Math.max(USUAL_SPEED, usual);
}

/** @param {number[]} places */
const longest = (places) =>
  Math.max(...places.slice(1).map((place, before) => place - places[before]));

export class Player {
  playing = false;
  speed = SPEEDS[USUAL_SPEED];
  /** Part of a step that is not made yet. */
  #rest = 0;
  /** Where the recorded clock is, when it is the clock that plays. @type {number | null} */
  #clock = null;

  /** Whether there is time to look at each step. */
  get calm() {
    return !this.playing || (this.speed.steps ?? 100) <= 5;
  }

  /** @param {boolean} playing */
  set(playing) {
    this.playing = playing;
    this.#rest = 0;
    this.#clock = null;
  }

  /** @param {Speed} speed */
  go(speed) {
    this.speed = speed;
    this.set(this.playing);
  }

  /**
   * The position after `seconds` of playing; it stops at notes, where a reader wants to read.
   *
   * @param {Trace} trace
   * @param {number} position
   * @param {number} seconds
   */
  advance(trace, position, seconds) {
    const wanted = Math.min(trace.length, this.#wanted(trace, position, seconds));
    const caption = (this.speed.steps ?? 0) < 1000 ? captionBetween(trace, position, wanted) : -1;
    const target = caption === -1 ? wanted : caption + 1;
    if (caption !== -1 || target >= trace.length) this.set(false);
    return target;
  }

  /**
   * @param {Trace} trace
   * @param {number} position
   * @param {number} seconds
   */
  #wanted(trace, position, seconds) {
    if (this.speed.clock === undefined) {
      this.#rest += seconds * (this.speed.steps ?? 1);
      const steps = Math.floor(this.#rest);
      this.#rest -= steps;
      return position + steps;
    }
    this.#clock ??= trace.events[Math.max(0, position - 1)]?.t ?? 0;
    this.#clock += seconds * 1e9 * this.speed.clock;
    return Math.max(position, trace.indexAt(this.#clock));
  }
}

/**
 * @param {Trace} trace
 * @param {number} from
 * @param {number} to
 */
function captionBetween(trace, from, to) {
  const found = trace.header.captions?.find(({ at }) => at >= from && at < to);
  return found ? found.at : -1;
}
