// A trace in memory: its events, and what is said of each task, timer, source, job and input.
// It grows one event at a time, so a file and a live run are the same to the page.
/**
 * @import { Header, Id, InputInfo, JobInfo, SourceInfo, State, TaskInfo, TimerInfo, TraceEvent }
 *   from '../types.d.ts'
 * @import { Story } from './story.js'
 */

import { Causes } from './causes.js';
import { storyOf } from './story.js';

/** What only a thread tells that runs tasks. */
const LOOPS = new Set(['turn', 'poll', 'park', 'steal']);

export class Trace {
  /** @type {TraceEvent[]} */
  events = [];
  causes = new Causes();
  /** @type {Map<Id, TaskInfo>} */
  tasks = new Map();
  /** @type {Map<Id, TimerInfo>} */
  timers = new Map();
  /** @type {Map<Id, SourceInfo>} */
  sources = new Map();
  /** @type {Map<Id, JobInfo>} */
  jobs = new Map();
  /** @type {Map<number, InputInfo>} */
  inputs = new Map();
  /** The same in the order in which they were taken in. @type {InputInfo[]} */
  inputList = [];
  /** Tasks in the order in which they were first heard of. @type {TaskInfo[]} */
  taskList = [];
  /** Numbers of the outputs in the order in which they left. @type {number[]} */
  outputs = [];
  /** Indices of the events with which a turn begins. @type {number[]} */
  turns = [];
  /** Levels of the wheel that are in use. */
  levels = 0;
  /** Threads that run tasks; others only tell of jobs, or spawn. @type {number[]} */
  loops = [];
  /** What the reader should know: lost events, a file cut off. @type {string[]} */
  notes = [];
  /** @type {Map<Id, number[]>} */
  #pollsOf = new Map();
  /** @type {number[][]} */
  #pollsBy = [];
  /** For each poll the event with which it ended. @type {Map<number, number>} */
  #pollEnds = new Map();
  /** @type {(Id | undefined)[]} the task each event is about */
  #about = [];
  /** @type {Map<number, Id>} the task in its poll, by worker */
  #polling = new Map();

  /** The last that was asked for. @type {Story & { task: Id | undefined, length: number }} */
  #story = { task: undefined, length: 0, events: [], tasks: [] };

  /** @param {Header} header */
  constructor(header) {
    this.header = header;
  }

  get length() {
    return this.events.length;
  }

  /** The time of the last event. */
  get end() {
    return this.events.at(-1)?.t ?? 0;
  }

  /**
   * The events from `cut` on, with what is still known of what was alive then.
   *
   * @param {number} cut
   * @param {State} state before them
   */
  from(cut, state) {
    const trace = new Trace(this.header);
    const notes = ['The oldest events were let go.'];
    Object.assign(trace, { notes, levels: this.levels, loops: [...this.loops] });
    for (const id of state.tasks.keys()) {
      const task = this.tasks.get(id);
      if (task) Object.assign(trace.task(id), { ...task, spawned: -1, ended: -1 });
    }
    for (const name of /** @type {const} */ (['timers', 'sources', 'jobs'])) {
      const [from, to] = [this[name], /** @type {Map<Id, any>} */ (trace[name])];
      for (const id of state[name].keys()) to.set(id, from.get(id));
    }
    for (const input of this.inFlight(cut)) {
      const kept = { ...input, taken: -1, left: -1 };
      trace.inputs.set(input.n, kept);
      trace.inputList.push(kept);
    }
    for (const event of this.events.slice(cut)) trace.append(event);
    return trace;
  }

  /** @param {TraceEvent} event */
  append(event) {
    const index = this.events.length;
    this.events.push(event);
    this.causes.append(event, index);
    this.#note(event, index);
    this.#about.push(this.#taskOf(event));
    if (event.e !== 'polled') return;
    this.#polling.delete(event.w ?? 0);
    this.#pollEnds.set(this.causes.causeOf(index), index);
  }

  /** The task an event is about. @param {number} index */
  taskOf(index) {
    return this.#about[index];
  }

  /** What a task did and what brought it about, up to now. @param {Id} task */
  story(task) {
    const { task: whose, length } = this.#story;
    if (whose !== task || length !== this.length) {
      this.#story = { task, length: this.length, ...storyOf(this, task) };
    }
    return this.#story;
  }

  /** The index of the first event at or after a time. @param {number} time */
  indexAt(time) {
    let [low, high] = [0, this.events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.events[middle].t < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {Id} id */
  task(id) {
    const known = this.tasks.get(id);
    if (known) return known;
    const info = { id, name: '', at: '', input: null, spawned: -1, ended: -1 };
    this.tasks.set(id, info);
    this.taskList.push(info);
    return info;
  }

  /** The events with which polls of a task began. @param {Id} task */
  pollsOf(task) {
    return this.#pollsOf.get(task) ?? [];
  }

  /** The events with which polls on a worker began. @param {number} worker */
  pollsBy(worker) {
    return this.#pollsBy[worker] ?? [];
  }

  /** The event that ended a poll; the poll itself, if none did. @param {number} poll */
  endOfPoll(poll) {
    return this.#pollEnds.get(poll) ?? poll;
  }

  /** The inputs that were taken in before an event and had not left. @param {number} index */
  inFlight(index) {
    const taken = this.inputList.filter((one) => one.taken < index);
    return taken.filter((one) => one.left === -1 || one.left >= index);
  }

  /**
   * @param {TraceEvent} event
   * @param {number} index
   */
  #note(event, index) {
    if (LOOPS.has(event.e)) this.#noteLoop(event.w ?? 0);
    switch (event.e) {
      case 'turn':
        this.turns.push(index);
        break;
      case 'spawn': {
        const task = this.task(event.task);
        Object.assign(task, { name: event.name ?? '', at: event.at ?? '', spawned: index });
        const number = /^I(\d+)$/.exec(task.name);
        if (number) this.#assign(Number(number[1]), event.task);
        break;
      }
      case 'poll':
        this.task(event.task);
        this.#polling.set(event.w ?? 0, event.task);
        this.#notePoll(event.task, event.w ?? 0, index);
        break;
      case 'end':
        this.task(event.task).ended = index;
        break;
      case 'input':
      case 'output':
        this.#noteInput(event, index);
        break;
      default:
        this.#noteThings(event);
    }
  }

  /** @param {number} worker */
  #noteLoop(worker) {
    if (this.loops.includes(worker)) return;
    this.loops.push(worker);
    this.loops.sort((a, b) => a - b);
  }

  /**
   * @param {Id} task
   * @param {number} worker
   * @param {number} index
   */
  #notePoll(task, worker, index) {
    const polls = this.#pollsOf.get(task);
    if (polls) polls.push(index);
    else this.#pollsOf.set(task, [index]);
    (this.#pollsBy[worker] ??= []).push(index);
  }

  /** @param {TraceEvent} event */
  #noteThings(event) {
    const polling = this.#polling.get(event.w ?? 0);
    switch (event.e) {
      case 'source':
        this.sources.set(event.source, {
          id: event.source,
          what: event.what ?? '',
          fd: event.fd,
        });
        break;
      case 'timer':
        this.levels = Math.max(this.levels, event.level + 1);
        this.timers.set(event.timer, {
          id: event.timer,
          task: event.task ?? polling,
          due: event.due,
        });
        break;
      case 'move': {
        this.levels = Math.max(this.levels, event.level + 1);
        const timer = this.timers.get(event.timer);
        if (timer && event.due !== undefined) timer.due = event.due;
        break;
      }
      case 'job':
        this.jobs.set(event.job, {
          id: event.job,
          task: event.task ?? polling,
          at: event.at ?? '',
          thread: '',
        });
        break;
      case 'job-begin': {
        const job = this.jobs.get(event.job);
        if (job) job.thread = event.thread ?? '';
        break;
      }
      default:
    }
  }

  /**
   * @param {Extract<TraceEvent, { e: 'input' | 'output' }>} event
   * @param {number} index
   */
  #noteInput(event, index) {
    const known = this.inputs.get(event.n);
    const input = known ?? {
      n: event.n,
      text: '',
      task: undefined,
      taken: -1,
      left: -1,
      ok: true,
      result: '',
    };
    if (!known) this.inputList.push(input);
    this.inputs.set(event.n, input);
    if (event.e === 'input') {
      Object.assign(input, { text: event.text, taken: index });
      if (event.task !== undefined) this.#assign(event.n, event.task);
      return;
    }
    Object.assign(input, { left: index, ok: event.ok !== false, result: event.text });
    this.outputs.push(event.n);
  }

  /**
   * @param {number} n
   * @param {Id} task
   */
  #assign(n, task) {
    this.task(task).input = n;
    const input = this.inputs.get(n);
    if (input) input.task = task;
  }

  /** @param {TraceEvent} event */
  #taskOf(event) {
    const polling = this.#polling.get(event.w ?? 0);
    switch (event.e) {
      case 'timer':
      case 'move':
      case 'fire':
      case 'cancel':
        return this.timers.get(event.timer)?.task;
      case 'job':
      case 'job-begin':
      case 'job-end':
        return this.jobs.get(event.job)?.task;
      case 'wait':
      case 'source':
      case 'gone':
        return ('task' in event ? event.task : undefined) ?? polling;
      case 'input':
      case 'output':
        return this.inputs.get(event.n)?.task ?? polling;
      case 'turn':
      case 'park':
      case 'unpark':
      case 'steal':
      case 'ready':
        return undefined;
      default:
        return event.task;
    }
  }
}
