// Which tasks that wait are shown one by one, and which are counted: a server has a thousand.
/** @import { Id } from '../types.d.ts' */
/** @import { Scene } from '../app.js' */
/** @import { Trace } from '../trace/trace.js' */

import { taskLabel } from '../trace/words.js';

/** So many are shown one by one; of more than that, those that have a name of their own. */
const ALL = 12;
const SINGLE = 4;
const GROUPS = 5;
/** No more than these are looked at; the others are only counted. */
const LOOKED_AT = 5000;

/**
 * @typedef {{ key: string, id: Id | null, text: string, count: number }} Waiting
 * one task, or how many there are of a name
 */

/** What tasks that do the same are called: their name without a number. */
/**
 * @param {Trace} trace
 * @param {Id} id
 */
function kindOf(trace, id) {
  const info = trace.tasks.get(id);
  if (info?.input != null) return 'inputs';
  return (info?.name ?? '').replace(/[\s#:-]*\d+$/, '') || 'tasks';
}

/** Inputs come first: they are what the reader came for. @param {Trace} trace */
const inputsFirst = (trace) => (/** @type {Id} */ a, /** @type {Id} */ b) => {
  const rank = (/** @type {Id} */ id) => trace.tasks.get(id)?.input ?? Infinity;
  const [first, second] = [rank(a), rank(b)];
  return first === second ? 0 : first - second;
};

/**
 * @param {Scene} scene
 * @returns {{ shown: Waiting[], total: number, rest: number }}
 */
export function waitingOf({ trace, state, task, follow }) {
  /** @type {Id[]} */
  const ids = [];
  let total = 0;
  for (const { id, status } of state.tasks.values()) {
    if (status !== 'waiting') continue;
    total += 1;
    if (total <= LOOKED_AT || id === task || id === follow?.task) ids.push(id);
  }
  const one = (/** @type {Id} */ id) => {
    return { key: `${id}`, id, text: taskLabel(trace, id), count: 1 };
  };
  if (total <= ALL) return { shown: ids.sort(inputsFirst(trace)).map(one), total, rest: 0 };

  /** @type {Map<string, Id[]>} */
  const kinds = new Map();
  const wanted = ids.filter((id) => id === task || id === follow?.task);
  for (const id of ids) {
    if (wanted.includes(id)) continue;
    const kind = kindOf(trace, id);
    const known = kinds.get(kind);
    if (known) known.push(id);
    else kinds.set(kind, [id]);
  }
  const groups = [...kinds].filter(([, members]) => members.length > 1);
  groups.sort(([, a], [, b]) => b.length - a.length);
  const single = [...kinds].flatMap(([, members]) => (members.length === 1 ? members : []));
  const spare = Math.max(0, SINGLE - single.length);
  for (const [nth, [, members]] of groups.entries()) {
    // some of each kind, so that it is seen what they wait for
    const places = Math.floor((spare + groups.length - 1 - nth) / groups.length);
    single.push(...members.splice(0, Math.min(places, members.length - 1)));
  }
  const counted = groups.slice(0, GROUPS).map(([kind, members]) => ({
    key: `of ${kind}`,
    id: null,
    text: `${members.length.toLocaleString('en')} × ${kind}`,
    count: members.length,
  }));
  const alone = single.sort(inputsFirst(trace)).slice(0, SINGLE);
  const shown = [...wanted.map(one), ...counted, ...alone.map(one)];
  const told = shown.reduce((sum, { count }) => sum + count, 0);
  return { shown, total, rest: total - told };
}
