// What the tests of the real program share: where it is, and what it says.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../../target/debug/event-loop', import.meta.url));

export const program = process.env.EVENT_LOOP ?? built;

/** Why such a test is left out; false if it need not be. */
export const skip =
  !process.env.EVENT_LOOP && !existsSync(built) && 'there is no target/debug/event-loop';

/** The line of a stream that says this. */
export async function said(stream, what) {
  for await (const line of createInterface({ input: stream })) {
    const found = what.exec(line);
    if (found) {
      stream.resume();
      return found;
    }
  }
  throw new Error(`nobody said ${what}`);
}
