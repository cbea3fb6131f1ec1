// Writes the samples: node samples/write.js
import { writeFileSync } from 'node:fs';
import { tour } from './scripts.js';

writeFileSync(new URL('./tour.ndjson', import.meta.url), tour().toString());
