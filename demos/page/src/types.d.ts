// The words of a trace, as they come: one JSON object a line, a header first.

/** Tasks, timers, sources and jobs have one each, never used twice within a trace. */
export type Id = number | string;
export type Direction = 'read' | 'write';

export interface Caption {
  /** The event it belongs to, counted from 0. */
  at: number;
  text: string;
}

export interface Header {
  handrolled_trace: number;
  program: string;
  started: string;
  /** Names of the threads that run tasks. */
  workers: string[];
  /** Events that were lost before the first one here. */
  dropped: number;
  title?: string;
  about?: string;
  captions?: Caption[];
  /** Nanoseconds of one tick of the wheel, and where on the trace's clock its tick 0 was. */
  tick_ns?: number;
  wheel_zero?: number;
}

export interface WokenBy {
  task?: Id;
  timer?: Id;
  source?: Id;
  dir?: Direction;
  thread?: string;
  self?: boolean;
  other?: boolean;
}

interface At {
  /** Nanoseconds since the recording began. */
  t: number;
  /** Index of the thread in `workers`; left out: 0. */
  w?: number;
}

export type TraceEvent = At &
  (
    | { e: 'turn' }
    | { e: 'spawn'; task: Id; name?: string; at?: string; by?: Id }
    | { e: 'poll'; task: Id }
    | { e: 'polled'; task: Id; ready: boolean }
    | { e: 'wake'; task: Id; by?: WokenBy }
    | { e: 'end'; task: Id; how: string }
    | { e: 'park'; ns: number | null }
    | { e: 'unpark'; events?: number }
    | { e: 'source'; source: Id; fd?: number; what?: string }
    | { e: 'gone'; source: Id }
    | { e: 'wait'; source: Id; dir: Direction; task?: Id }
    | { e: 'ready'; source: Id; read?: boolean; write?: boolean }
    | { e: 'timer'; timer: Id; due: number; level: number; slot: number; task?: Id }
    | { e: 'move'; timer: Id; level: number; slot: number; due?: number }
    | { e: 'fire'; timer: Id }
    | { e: 'cancel'; timer: Id }
    | { e: 'steal'; from: number; tasks: number }
    | { e: 'job'; job: Id; at?: string; task?: Id }
    | { e: 'job-begin'; job: Id; thread?: string }
    | { e: 'job-end'; job: Id }
    | { e: 'input'; n: number; text: string; task?: Id }
    | { e: 'output'; n: number; text: string; ok?: boolean }
  );

export type Kind = TraceEvent['e'];

/** What a trace knows about a task, a timer, … whenever it was said. */
export interface TaskInfo {
  id: Id;
  name: string;
  at: string;
  input: number | null;
  /** Indices of events, -1 for none. */
  spawned: number;
  ended: number;
}
export interface TimerInfo {
  id: Id;
  task: Id | undefined;
  due: number;
}
export interface SourceInfo {
  id: Id;
  what: string;
  fd: number | undefined;
}
export interface JobInfo {
  id: Id;
  task: Id | undefined;
  at: string;
  thread: string;
}
export interface InputInfo {
  n: number;
  text: string;
  task: Id | undefined;
  /** Indices of events: taken in, delivered (-1: not within the trace). */
  taken: number;
  left: number;
  ok: boolean;
  result: string;
}

/** One moment of the loop, as the page draws it. */
export type Phase = 'run' | 'wait' | 'timers' | 'none';
export interface WorkerState {
  phase: Phase;
  turn: number;
  polling: Id | null;
  /** The wait in progress: since when, at most how long (null: for ever). */
  parked: { since: number; ns: number | null } | null;
}
export interface TaskState {
  id: Id;
  status: 'ready' | 'polling' | 'waiting';
  since: number;
  polls: number;
  /** Woken while it was being polled: it is in the queue again. */
  again: boolean;
  /** Its future is gone, though its poll has not ended. */
  over: boolean;
  /** Its timers that are in the wheel. */
  timers: Id[];
}
export interface SourceState {
  id: Id;
  readable: boolean;
  writable: boolean;
  readers: Id[];
  writers: Id[];
}
export interface TimerState {
  id: Id;
  level: number;
  slot: number;
  due: number;
  task: Id | null;
}
export interface JobState {
  id: Id;
  thread: string | null;
  since: number;
}
/** Where a timer was before this very event moved it. */
export interface Trail {
  timer: Id;
  level: number;
  slot: number;
}
export interface State {
  workers: WorkerState[];
  /** Tasks that are ready, first come first served, for each worker. */
  queues: Id[][];
  tasks: Map<Id, TaskState>;
  sources: Map<Id, SourceState>;
  timers: Map<Id, TimerState>;
  jobs: Map<Id, JobState>;
  /** Threads of the blocking pool that were seen. */
  threads: string[];
  trail: Trail | null;
  polls: number;
  wakes: number;
}

/** What somebody follows: only its events are listed, the rest steps back. */
export type Follow = { task: Id } | null;
