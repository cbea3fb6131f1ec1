// From text to header and events: whole lines only, and a clear word for each that is not right.
/** @import { Header, TraceEvent } from '../types.d.ts' */

export const VERSION = 1;

/** What is wrong with a trace, said to the person who opened it. */
export class TraceError extends Error {}

const isId = (/** @type {unknown} */ value) =>
  typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
const isNumber = (/** @type {unknown} */ value) =>
  typeof value === 'number' && Number.isFinite(value);
const isText = (/** @type {unknown} */ value) => typeof value === 'string';
const isFlag = (/** @type {unknown} */ value) => typeof value === 'boolean';
const isCount = (/** @type {unknown} */ value) => Number.isInteger(value) && Number(value) >= 0;
const isDirection = (/** @type {unknown} */ value) => value === 'read' || value === 'write';
const isPatience = (/** @type {unknown} */ value) => value === null || isNumber(value);

/** What each kind of event cannot do without. */
/** @type {Record<string, Record<string, (value: unknown) => boolean>>} */
const NEEDS = {
  turn: {},
  spawn: { task: isId },
  poll: { task: isId },
  polled: { task: isId, ready: isFlag },
  wake: { task: isId },
  end: { task: isId, how: isText },
  park: { ns: isPatience },
  unpark: {},
  source: { source: isId },
  gone: { source: isId },
  wait: { source: isId, dir: isDirection },
  ready: { source: isId },
  timer: { timer: isId, due: isNumber, level: isCount, slot: isCount },
  move: { timer: isId, level: isCount, slot: isCount },
  fire: { timer: isId },
  cancel: { timer: isId },
  steal: { from: isCount, tasks: isCount },
  job: { job: isId },
  'job-begin': { job: isId },
  'job-end': { job: isId },
  input: { n: isCount, text: isText },
  output: { n: isCount, text: isText },
};

/**
 * @param {string} line
 * @param {number} number
 * @returns {Record<string, unknown>}
 */
function object(line, number) {
  let value;
  try {
    value = JSON.parse(line);
  } catch {
    throw new TraceError(`Line ${number} is not JSON.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TraceError(`Line ${number} is not a JSON object.`);
  }
  return value;
}

/**
 * @param {string} line
 * @returns {Header}
 */
export function parseHeader(line) {
  const value = object(line, 1);
  const version = value.handrolled_trace;
  if (version === undefined) {
    throw new TraceError('This is not a trace: its first line has no "handrolled_trace".');
  }
  if (version !== VERSION) {
    throw new TraceError(
      `This trace has version ${JSON.stringify(version)}; this page reads version ${VERSION}. ` +
        'A page made by the program that recorded it will read it.',
    );
  }
  const list = (/** @type {unknown} */ some) => (Array.isArray(some) ? some : []);
  const workers = list(value.workers).map(String);
  const captions = list(value.captions).filter((one) => isCount(one?.at) && isText(one?.text));
  return {
    handrolled_trace: VERSION,
    program: isText(value.program) ? String(value.program) : '',
    started: isText(value.started) ? String(value.started) : '',
    workers: workers.length > 0 ? workers : ['loop'],
    dropped: isCount(value.dropped) ? Number(value.dropped) : 0,
    title: isText(value.title) ? String(value.title) : undefined,
    about: isText(value.about) ? String(value.about) : undefined,
    captions: captions.sort((a, b) => a.at - b.at),
    tick_ns: isNumber(value.tick_ns) ? Number(value.tick_ns) : undefined,
    wheel_zero: isNumber(value.wheel_zero) ? Number(value.wheel_zero) : undefined,
  };
}

/**
 * One event; `null` for a kind that this page does not know.
 *
 * @param {string} line
 * @param {number} number
 * @returns {TraceEvent | null}
 */
export function parseEvent(line, number) {
  const value = object(line, number);
  if (typeof value.e !== 'string') {
    throw new TraceError(`Line ${number} has no "e", the kind of its event.`);
  }
  if (!Object.hasOwn(NEEDS, value.e)) return null;
  if (!isNumber(value.t)) throw new TraceError(`Line ${number} has no "t", its time.`);
  if (value.w !== undefined && !isCount(value.w)) {
    throw new TraceError(`Line ${number}: "w" is not the index of a worker.`);
  }
  for (const [field, holds] of Object.entries(NEEDS[value.e])) {
    if (!holds(value[field])) {
      throw new TraceError(`Line ${number}: "${value.e}" needs a right "${field}".`);
    }
  }
  return /** @type {TraceEvent} */ (/** @type {unknown} */ (value));
}

/**
 * A whole trace. A last line that was cut off is left out, and said.
 *
 * @param {string} text
 */
export function parseTrace(text) {
  const lines = text.trim().split('\n');
  if (lines[0].trim() === '') throw new TraceError('This trace is empty.');
  const header = parseHeader(lines[0]);
  /** @type {TraceEvent[]} */
  const events = [];
  const notes = header.dropped > 0 ? [`${header.dropped} earlier events were not kept.`] : [];
  let skipped = 0;
  for (let index = 1; index < lines.length; index += 1) {
    if (lines[index].trim() === '') continue;
    try {
      const event = parseEvent(lines[index], index + 1);
      if (event) events.push(event);
      else skipped += 1;
    } catch (error) {
      if (index < lines.length - 1 || text.endsWith('\n')) throw error;
      notes.push('The file is cut off within its last line: what comes before is shown.');
    }
  }
  if (skipped > 0) notes.push(`${skipped} events of kinds this page does not know are left out.`);
  return { header, events, notes, skipped };
}
