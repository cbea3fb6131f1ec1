// Lines, causes, states, playing: without a browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { load, tour } from '../samples/scripts.js';
import { Player, SPEEDS, USUAL_SPEED, usualSpeed } from '../src/player.js';
import { apply } from '../src/state/apply.js';
import { History } from '../src/state/history.js';
import { emptyState } from '../src/state/state.js';
import { duration, roundStep } from '../src/trace/amounts.js';
import { parseTrace } from '../src/trace/parse.js';
import { Trace } from '../src/trace/trace.js';
import { plain, words, workerSign } from '../src/trace/words.js';
import { rowsOf } from '../src/view/rows.js';
import { Scale, partOf } from '../src/view/scale.js';
import { waitingOf } from '../src/view/waiting.js';
import { HEADER, cascade, stealing, trace } from './traces.js';

function read(text) {
  const { header, events } = parseTrace(String(text));
  const made = new Trace(header);
  for (const event of events) made.append(event);
  return made;
}

const header = (fields) => JSON.stringify({ ...HEADER, ...fields });
const problem = (text) => {
  try {
    parseTrace(text);
  } catch (error) {
    return error.message;
  }
  return 'nothing';
};

test('what is no trace is told so, with the line', () => {
  assert.match(problem(''), /empty/);
  assert.match(problem('hello'), /Line 1 is not JSON/);
  assert.match(problem('{"a":1}'), /not a trace/);
  assert.match(problem('[1]'), /not a JSON object/);
  assert.match(problem(`${header()}\n{"t":1,"e":"turn"}\nnonsense\n{"t":2,"e":"turn"}`), /Line 3/);
  assert.match(problem(`${header()}\n{"t":1,"e":"poll"}\n`), /Line 2: "poll" needs.*"task"/);
  assert.match(problem(`${header()}\n{"e":"turn"}\n`), /Line 2 has no "t"/);
  assert.match(problem(`${header()}\n{"t":1}\n`), /Line 2 has no "e"/);
  assert.match(problem(`${header()}\n{"t":1,"e":"turn","w":-1}\n`), /worker/);
});

test('a newer version is told so', () => {
  assert.match(problem(header({ handrolled_trace: 2 })), /version 2; this page reads version 1/);
});

function isWhole(line) {
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}

test('a trace that was cut off shows what is whole, wherever it was cut', () => {
  const whole = String(tour());
  const lines = whole.trimEnd().split('\n').length;
  const end = whole.length - 1;
  for (let cut = whole.indexOf('\n') + 1; cut < end; cut += 7) {
    const part = whole.slice(0, cut);
    const { events, notes } = parseTrace(part);
    const complete = part.split('\n').filter(isWhole).length;
    assert.equal(events.length, complete - 1, `cut at ${cut}`);
    assert.ok(events.length < lines);
    const last = part.split('\n').at(-1);
    assert.equal(notes.length > 0, last !== '' && !isWhole(last), `cut at ${cut}`);
  }
});

test('unknown events and fields are left out and counted', () => {
  const text = trace([{ e: 'turn', later: 1 }, { e: 'from-the-future', task: {} }, { e: 'turn' }]);
  const { events, skipped, notes } = parseTrace(text);
  assert.equal(events.length, 2);
  assert.equal(skipped, 1);
  assert.match(notes.join(), /1 events of kinds/);
});

test('amounts are said as people say them', () => {
  const said = [0, 1, 999, 1000, 1499, 99_400, 999_400, 999_999_900, 1e9, 1.5e9, 60e9, 3600e9];
  const small = ['0', '1 ns', '999 ns', '1 µs', '1.5 µs', '99.4 µs', '999 µs'];
  const large = ['1 s', '1 s', '1.5 s', '60 s', '60 min'];
  assert.deepEqual(said.map(duration), [...small, ...large]);
  assert.equal(roundStep(302e6, 6), 100e6);
  assert.equal(roundStep(9, 3), 5);
});

test('the sample is what its script makes', () => {
  const sample = readFileSync(new URL('../samples/tour.ndjson', import.meta.url), 'utf8');
  assert.ok(sample === String(tour()), 'run `node samples/write.js`');
});

test('O2 leaves before O1', () => {
  const { outputs } = read(tour());
  assert.ok(outputs.indexOf(2) < outputs.indexOf(1), outputs.join());
  assert.equal(outputs.length, 6);
});

test('from an output the causes lead back to the input that asked for it', () => {
  const made = read(tour());
  const output = made.inputs.get(2).left;
  const kinds = made.causes.chain(output, 20).map((at) => made.events[at].e);
  const road = ['output', 'poll', 'wake', 'fire', 'timer', 'poll', 'spawn', 'poll', 'wake'];
  assert.deepEqual(kinds.slice(0, road.length), road);
});

test('a job done on a thread is what woke the task, whatever the thread began since', () => {
  const made = read(
    trace([
      { e: 'spawn', task: 1 },
      { e: 'job', job: 1, task: 1 },
      { e: 'job-begin', job: 1, thread: 'b' },
      { e: 'job-end', job: 1 },
      { e: 'job', job: 2, task: 2 },
      { e: 'job-begin', job: 2, thread: 'b' },
      { e: 'wake', task: 1, by: { thread: 'b' } },
    ]),
  );
  assert.equal(made.causes.causeOf(6), 3);
});

test('the story of an input is what was done for it and what woke it, from I to O', () => {
  const made = read(tour());
  const kinds = (n) => {
    const { events } = made.story(made.inputs.get(n).task);
    return events.map((at) => made.events[at].e);
  };
  const [begin, end] = [['input', 'spawn', 'poll'], ['poll', 'output', 'polled', 'end']];
  assert.deepEqual(kinds(2), [...begin, 'timer', 'polled', 'fire', 'wake', ...end]);
  assert.deepEqual(kinds(3), [...begin, 'job', 'polled', 'job-begin', 'job-end', 'wake', ...end]);
});

test('a story has the polls of others that woke its task, and what woke them', () => {
  const made = read(
    trace([
      { e: 'spawn', task: 1 },
      { e: 'spawn', task: 2 },
      { e: 'spawn', task: 3 },
      { e: 'poll', task: 2 },
      { e: 'wait', source: 7, dir: 'read', task: 2 },
      { e: 'polled', task: 2, ready: false },
      { e: 'poll', task: 3 },
      { e: 'polled', task: 3, ready: true },
      { e: 'ready', source: 7, read: true },
      { e: 'wake', task: 2, by: { source: 7, dir: 'read' } },
      { e: 'poll', task: 2 },
      { e: 'wake', task: 1, by: { task: 2 } },
      { e: 'polled', task: 2, ready: true },
      { e: 'poll', task: 1 },
    ]),
  );
  assert.deepEqual(made.story(1).events, [0, 1, 3, 4, 8, 9, 10, 11, 13]);
  assert.deepEqual(made.story(1).tasks, [1, 2]);
});

test('the time line shows the part that its rows are about, by round amounts', () => {
  const events = [];
  for (let n = 1; n <= 50; n += 1) {
    events.push({ e: 'input', n, text: 'x', t: n * 10e6 });
    events.push({ e: 'output', n, text: 'x', t: n * 10e6 + 7e6 });
  }
  const made = read(trace(events));
  const scaleAt = (index, steps = false) => {
    const rows = rowsOf({ trace: made, index, follow: null, calm: true }, 'inputs', 5);
    const part = partOf(made, 'inputs', rows, index);
    return new Scale(made, part, { steps, left: 50, width: 600 });
  };
  const scale = scaleAt(60);
  assert.ok(scale.low > 0 && scale.high < made.end, `${scale.low} to ${scale.high}`);
  assert.ok(scale.high - scale.low < made.end / 4);
  for (const index of [scale.from, 60, scale.to]) {
    assert.equal(scale.indexAt(scale.x(index)), index);
  }
  const ends = [scale.x(0), scale.x(made.length - 1)];
  assert.deepEqual(ends, [50, 650], 'what is outside is at an edge');
  const [first, second] = scale.ticks().map(({ words }) => words);
  assert.match(`${first} ${second}`, /^2\d0 ms 2\d0 ms$/);
  assert.equal(scaleAt(60, true).low % 2, 0);
});

test('a long run is shown in pages that overlap, so that now is never at an edge', () => {
  const made = read(trace(Array.from({ length: 5000 }, () => ({ e: 'turn' }))));
  for (const index of [600, 999, 1000, 2500, 4000]) {
    const { from, to } = partOf(made, 'tasks', [], index);
    assert.ok(index - from >= 250 && to - index >= 250, `${from} ${index} ${to}`);
    assert.ok(to - from <= 1000);
  }
  assert.deepEqual(partOf(made, 'tasks', [], -1), { from: 0, to: 4999 });
});

test('of many that wait those that do the same are counted', () => {
  const spawned = Array.from({ length: 40 }, (_, n) => {
    const name = n < 2 ? ['ctrl-c', 'main'][n] : `connection ${n}`;
    const polled = { e: 'polled', task: n, ready: false };
    return [{ e: 'spawn', task: n, name }, { e: 'poll', task: n }, polled];
  });
  const made = read(trace(spawned.flat()));
  const state = emptyState(1);
  for (const event of made.events) apply(state, event);
  const { shown, total, rest } = waitingOf({ trace: made, state, task: 9, follow: { task: 12 } });
  const said = shown.map(({ text }) => text);
  const some = ['connection 2', 'connection 3'];
  const [nine, twelve] = ['connection 9', 'connection 12'];
  assert.deepEqual(said, [nine, twelve, '34 × connection', 'ctrl-c', 'main', ...some]);
  assert.deepEqual([total, rest], [40, 0]);
});

test('threads have the numbers of their names, if these are different', () => {
  const signs = (...workers) => {
    const turns = workers.map((_, w) => ({ e: 'turn', w }));
    const made = read(trace(turns, { workers }));
    return workers.map((_, w) => workerSign(made, w));
  };
  assert.deepEqual(signs('worker-3', 'worker-0'), ['3', '0']);
  assert.deepEqual(signs('a-1', 'b-1'), ['0', '1']);
  assert.deepEqual(signs('loop', 'worker-7'), ['0', '1']);
});

test('a long run is played faster, and so is one with notes that are far apart', () => {
  const turns = Array.from({ length: 9000 }, () => ({ e: 'turn' }));
  const speed = (captions) => SPEEDS[usualSpeed(read(trace(turns, { captions })))].name;
  const note = (at) => ({ at, text: 'Look.' });
  assert.equal(speed([]), '100 steps a second');
  assert.equal(speed([note(10), note(600), note(620)]), '20 steps a second');
  assert.equal(usualSpeed(read(tour())), USUAL_SPEED);
});

test('every event of a trace has words', () => {
  for (const made of [read(tour()), read(stealing()), read(cascade())]) {
    for (let index = 0; index < made.length; index += 1) {
      const sentence = plain(words(made, index));
      assert.doesNotMatch(sentence, /undefined|null|NaN|\[object/, sentence);
    }
  }
});

/** The same, event after event from the beginning: what a history has to agree with. */
function states(made, stops) {
  const state = emptyState(made.header.workers.length);
  const found = new Map();
  made.events.forEach((event, index) => {
    apply(state, event);
    if (stops.has(index + 1)) found.set(index + 1, structuredClone(state));
  });
  return found;
}

test('a history gives the same state whichever way it was reached, and with bounded work', () => {
  const made = read(load(20_000));
  const positions = [];
  let seed = 7;
  for (let step = 0; step < 300; step += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    positions.push(1 + (seed % made.length));
  }
  const straight = states(made, new Set(positions));
  const history = new History(made);
  for (const at of positions) assert.deepEqual(history.at(at), straight.get(at), `at ${at}`);
  history.at(made.length);
  for (let at = made.length - 1; at > made.length - 50; at -= 1) {
    const before = history.applied;
    history.at(at);
    const applied = history.applied - before;
    assert.ok(applied <= 1024, `${applied} events for a step back`);
  }
});

test('stealing takes from the front of the other queue', () => {
  const made = read(stealing());
  const state = new History(made).at(8);
  assert.deepEqual(state.queues, [[3], [2]]);
});

test('a task that is woken while it is polled is ready again', () => {
  const made = read(
    trace([
      { e: 'spawn', task: 1 },
      { e: 'poll', task: 1 },
      { e: 'wake', task: 1, by: { self: true } },
      { e: 'polled', task: 1, ready: false },
    ]),
  );
  const state = new History(made).at(4);
  assert.equal(state.tasks.get(1).status, 'ready');
  assert.deepEqual(state.queues, [[1]]);
});

test('a timer leaves a trail where it was, for one event', () => {
  const history = new History(read(cascade()));
  assert.deepEqual(history.at(8).trail, { timer: 9, level: 2, slot: 3 });
  assert.deepEqual(history.at(9).trail, { timer: 9, level: 1, slot: 60 });
  assert.deepEqual(history.at(10).trail, { timer: 9, level: 0, slot: 12 });
  assert.equal(history.at(11).trail, null);
  assert.equal(history.at(10).timers.size, 0);
});

test('the first half can be let go, and the rest is told as before', () => {
  const made = read(load(4000));
  const cut = 2000;
  const history = new History(made);
  const state = history.at(cut);
  const rest = made.from(cut, state);
  const later = new History(rest, state);
  const straight = states(made, new Set([cut + 500, made.length]));
  for (const at of [made.length, cut + 500]) {
    assert.deepEqual(later.at(at - cut), straight.get(at));
  }
  const said = (one, index) => plain(words(one, index));
  for (let index = cut; index < made.length; index += 1) {
    assert.equal(said(rest, index - cut), said(made, index));
  }
});

test('playing makes so many steps a second, and stops at notes and at the end', () => {
  const made = read(tour());
  const notes = made.header.captions;
  const player = new Player();
  player.go(SPEEDS.find(({ steps }) => steps === 5));
  player.set(true);
  assert.equal(player.advance(made, 0, 1), 5);
  assert.equal(player.advance(made, 5, 0.1), 5);
  assert.equal(player.advance(made, 5, 0.1), 6);
  assert.equal(player.advance(made, 6, 100), notes[0].at + 1);
  assert.equal(player.playing, false);
  player.go(SPEEDS.find(({ steps }) => steps === 10_000));
  player.set(true);
  assert.equal(player.advance(made, 0, 1), made.length);
  assert.equal(player.playing, false);
});

test('playing by the clock goes as the clock went', () => {
  const made = read(trace([{ e: 'turn', t: 0 }, { e: 'turn', t: 4e8 }, { e: 'turn', t: 1e9 }]));
  const player = new Player();
  player.go(SPEEDS.find(({ clock }) => clock === 0.1));
  player.set(true);
  assert.equal(player.advance(made, 1, 3.9), 1);
  assert.equal(player.advance(made, 1, 0.2), 2);
});
