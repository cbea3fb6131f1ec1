// One trace, one position in it, and the views that draw it. Everything drawn is made of a Scene,
// so the same position is always the same picture.
/** @import { Follow, Id, State, TraceEvent } from './types.d.ts' */
/** @import { Name } from './trace/words.js' */
/** @import { Trace } from './trace/trace.js' */

import { Player } from './player.js';
import { History } from './state/history.js';
import { Arrows } from './view/arrows.js';
import { Circle } from './view/circle.js';
import { Controls } from './view/controls.js';
import { Lanes } from './view/lanes.js';
import { Log } from './view/log.js';
import { Pool, Sources } from './view/sources.js';
import { Tasks } from './view/tasks.js';
import { whenResized } from './view/size.js';
import { Captions, Telling } from './view/telling.js';
import { Wheel } from './view/wheel.js';

/**
 * @typedef {object} Scene
 * @property {Trace} trace
 * @property {State} state after the event
 * @property {number} index of the event; -1 before the first
 * @property {TraceEvent | null} event
 * @property {number} time
 * @property {number} worker that the event is of; if its thread runs no tasks, the first that does
 * @property {Id | undefined} task that the event is about
 * @property {Follow} follow
 * @property {boolean} playing
 * @property {boolean} calm there is time to look at each step
 * @property {boolean} quick no time for things to move from place to place
 */

/** How long a text stays while the loop is played in a hurry. */
const LEGIBLE_MS = 120;

export class App {
  player = new Player();
  /** Events that have happened: 0 is before the first. */
  position = 0;
  /** @type {Follow} */
  follow = null;
  /** A live run is watched at its end. */
  atTail = false;
  /** @type {Trace | null} */
  trace = null;
  /** @type {History | null} */
  history = null;
  /** How many pictures were drawn, how many with their texts, and the time: for tests. */
  drawn = { pictures: 0, texts: 0, milliseconds: 0 };
  #pending = 0;
  #last = 0;
  /** When what is read was drawn last. */
  #read = 0;
  #shown = -1;

  constructor() {
    const jump = (/** @type {number} */ index) => this.jump(index);
    const redraw = () => this.draw();
    const follow = (/** @type {Id} */ task) => this.toggleFollow(task);
    this.wheel = new Wheel();
    this.captions = new Captions(jump);
    this.log = new Log(jump, redraw);
    this.lanes = new Lanes(jump, follow, redraw);
    this.controls = new Controls(this);
    const telling = new Telling((name) => this.followName(name), jump);
    // What is read. The log scrolls, which is cheap while nothing else has changed: it comes first.
    // Arrows come last: they look at where the others have put things.
    this.read = [
      this.log, telling, this.captions, new Tasks(follow), new Sources(follow), new Pool(follow),
    ];
    // What is watched.
    this.watched = [
      new Circle(() => this.play(true)), this.wheel, this.lanes, this.controls,
      new Arrows(this.wheel),
    ];
    whenResized(redraw);
    addEventListener('scroll', redraw, { passive: true });
  }

  /**
   * @param {Trace} trace
   * @param {History} [history]
   */
  load(trace, history = new History(trace)) {
    this.trace = trace;
    this.history = history;
    this.position = 0;
    this.follow = null;
    this.player.set(false);
    this.lanes.reset();
    this.controls.reset(trace);
    this.draw();
  }

  /** @returns {Scene | null} */
  scene() {
    if (!this.trace || !this.history) return null;
    const index = this.position - 1;
    const event = this.trace.events[index] ?? null;
    const thread = event?.w ?? 0;
    const { loops } = this.trace;
    const far = Math.abs(this.position - this.#shown) > 1;
    return {
      trace: this.trace,
      state: this.history.at(this.position),
      index,
      event,
      time: event?.t ?? 0,
      worker: loops.includes(thread) ? thread : (loops[0] ?? 0),
      task: event ? this.trace.taskOf(index) : undefined,
      follow: this.follow,
      playing: this.player.playing || this.atTail,
      calm: this.player.calm && !this.atTail,
      quick: far || !this.player.calm,
    };
  }

  /** Draws with the next frame, once, however often it is asked to. */
  draw() {
    this.#pending ||= requestAnimationFrame((now) => this.#frame(now));
  }

  /** @param {number} now */
  #frame(now) {
    this.#pending = 0;
    if (!this.trace) return;
    if (this.player.playing) {
      // A frame's time may be that of its beginning, which was before the click.
      const seconds = Math.max(0, Math.min(0.25, (now - this.#last) / 1000));
      this.position = this.player.advance(this.trace, this.position, seconds);
      if (this.player.playing) this.draw();
    }
    this.#last = now;
    const scene = this.scene();
    if (!scene) return;
    const began = performance.now();
    if (this.#isLegible(now)) {
      for (const view of this.read) view.render(scene);
      this.drawn.texts += 1;
    }
    for (const view of this.watched) view.render(scene);
    this.#shown = this.position;
    this.drawn.pictures += 1;
    this.drawn.milliseconds += performance.now() - began;
  }

  /**
   * Whether what is read is to be drawn with this frame. Where a hundred steps and more pass in a
   * second nobody reads each of them, and text costs more than all the rest: most of it is the
   * browser's work, which has to lay it out. The picture at which playing stops has all.
   *
   * @param {number} now
   */
  #isLegible(now) {
    const hurries = this.player.playing && !this.player.calm;
    if (hurries && now - this.#read < LEGIBLE_MS) return false;
    this.#read = now;
    return true;
  }

  /** @param {number} position */
  goTo(position) {
    const last = this.trace?.length ?? 0;
    this.position = Math.max(0, Math.min(position, last));
    this.atTail = false;
    this.draw();
  }

  /** To an event, by its index: it is the last that has happened. @param {number} index */
  jump(index) {
    this.player.set(false);
    this.goTo(index + 1);
  }

  /** One step; along what is followed, if something is. @param {1 | -1} way */
  step(way) {
    this.player.set(false);
    if (this.follow) this.log.go(way);
    else this.goTo(this.position + way);
  }

  /** To the next or the last turn of the loop. @param {1 | -1} way */
  turn(way) {
    if (!this.trace) return;
    const { turns, length } = this.trace;
    const here = this.position - 1;
    const next =
      way === 1 ? turns.find((one) => one > here) : turns.findLast((one) => one < here);
    this.player.set(false);
    this.goTo(next === undefined ? (way === 1 ? length : 0) : next + 1);
  }

  play(playing = !this.player.playing) {
    if (!this.trace) return;
    if (playing && this.position >= this.trace.length) this.position = 0;
    this.player.set(playing);
    this.atTail = false;
    this.#last = performance.now();
    this.draw();
  }

  /** @param {Id | null} task */
  toggleFollow(task) {
    this.follow = task === null || this.follow?.task === task ? null : { task };
    this.draw();
  }

  /** Follows the task that a name stands for, or that has to do with what it names. */
  /** @param {Name} name */
  followName({ thing, id }) {
    if (!this.trace) return;
    const owners = {
      task: () => id,
      timer: () => this.trace?.timers.get(id)?.task,
      job: () => this.trace?.jobs.get(id)?.task,
      input: () => this.trace?.inputs.get(Number(id))?.task,
      source: () => this.scene()?.task,
      worker: () => undefined,
    };
    const task = owners[thing]();
    if (task !== undefined) this.toggleFollow(task);
  }
}
