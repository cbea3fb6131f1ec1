// What is played on the model: the article's sequence, and a load of any length.

import { Model } from './model.js';

const MS = 1e6;

const WORK = {
  sleep: (length) =>
    function* sleep(model) {
      yield { sleep: length };
      return 'slept';
    },
  read: () =>
    function* read(model) {
      yield { job: { length: 1.8 * MS, at: 'demos/src/processing/read.rs:31' } };
      return '1,079 bytes, 21 lines';
    },
  query: () =>
    function* query(model) {
      yield { job: { length: 0.4 * MS, at: 'demos/src/processing/query.rs:44' } };
      return '3 rows';
    },
  get: () =>
    function* get(model) {
      const source = model.source('tcp 127.0.0.1:38637', 9);
      yield { wait: { source, dir: 'write', after: 0.2 * MS } };
      yield { wait: { source, dir: 'read', after: 60 * MS } };
      model.tell('gone', { source });
      return '200, 23 bytes';
    },
};

/** Lines, and when each arrives. */
const TOUR = [
  [2, 'sleep 300ms', WORK.sleep(300 * MS)],
  [12, 'sleep 100ms', WORK.sleep(100 * MS)],
  [20, 'read LICENSE-MIT', WORK.read()],
  [30, 'query select name from planets', WORK.query()],
  [42, 'get http://127.0.0.1:38637/after/60ms', WORK.get()],
  [56, 'slep 1s', null],
];

function* session(model) {
  const stdin = model.source('standard input', 0);
  let before = 0;
  for (const [at, line, work] of TOUR) {
    yield { wait: { source: stdin, after: (at - before) * MS } };
    before = at;
    const n = model.input(line);
    if (work === null) {
      model.output(n, '`slep` is not a word I know; did you mean `sleep`?', false);
      continue;
    }
    model.spawn(`I${n}`, 'demos/src/program/session.rs:118', function* processing(...args) {
      const said = yield* work(...args);
      model.output(n, said);
    });
  }
}

const CAPTIONS = [
  ['input', 1, 'I1 is taken in first, and it is slow. Watch whether anything waits for it.'],
  ['timer', 1, 'I1 sleeps: an entry in the wheel of timers, and no thread. Its task is set aside.'],
  ['input', 2, 'I2 comes in while I1 is still being processed. It will take a third of the time.'],
  ['job', 1, 'A disk has no "ready": reading blocks, so a thread of the pool does it.'],
  ['output', 2, 'O2 leaves before O1. Nobody decided that: its timer was due first, that is all.'],
  ['output', 1, 'And O1, when it is ready. Taken in first, delivered last.'],
];

export function tour() {
  const model = new Model({
    title: 'I1, I2, then O2, O1',
    about:
      'Six lines come in at standard input. Each is processed beside the others, and its output ' +
      'leaves when it is ready: the second before the first.',
  });
  model.spawn('session', 'demos/src/program/session.rs:60', session);
  model.run();
  const about = (line) => line.n ?? line.timer ?? line.job;
  model.header.captions = CAPTIONS.map(([kind, id, text]) => ({
    at: model.lines.findIndex((line) => line.e === kind && about(line) === id),
    text,
  }));
  return model;
}

/** Connections that ask again and again, each with a timeout and now and then a nap. */
export function load(events, connections = 60) {
  const model = new Model({ title: `A load of ${events.toLocaleString('en')} events` });
  let seed = 1;
  const random = (below) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let index = 0; index < connections; index += 1) {
    model.spawn(`connection ${index}`, 'demos/src/server/connection.rs:40', function* serve() {
      const source = model.source(`tcp 127.0.0.1:${40_000 + index}`, 10 + index);
      for (;;) {
        yield { wait: { source, after: (1 + random(40)) * 100_000 } };
        const n = model.input(`request ${model.inputs + 1} of connection ${index}`);
        if (random(4) === 0) yield { sleep: (1 + random(200)) * MS };
        if (random(9) === 0) yield { job: { length: random(3) * MS, at: 'query.rs:44' } };
        model.output(n, '200');
      }
    });
  }
  return model.run(events);
}
