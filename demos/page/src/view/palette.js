// Light and dark: what the reader's system says, unless the reader says otherwise. Canvases do not
// know the style sheet's colours, so they are read off an element.

const NAMES = /** @type {const} */ ([
  'page', 'card', 'sunk', 'ink', 'soft', 'line', 'executor', 'reactor', 'timers', 'pool', 'wrong',
]);

/** @typedef {Record<typeof NAMES[number], string>} Colours */

/** @type {Colours | null} */
let colours = null;

/** @returns {Colours} */
export function palette() {
  if (colours) return colours;
  const probe = document.createElement('span');
  document.body.append(probe);
  const read = (/** @type {string} */ name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = Object.fromEntries(NAMES.map((name) => [name, read(name)]));
  probe.remove();
  colours = /** @type {Colours} */ (found);
  return colours;
}

const dark = matchMedia('(prefers-color-scheme: dark)');

export const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : dark.matches;
};

/** @param {() => void} changed */
export function watchTheme(changed) {
  dark.addEventListener('change', () => {
    colours = null;
    changed();
  });
}

/** The other one of the two; the choice is kept where the browser allows it. */
export function toggleTheme() {
  const next = isDark() ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  colours = null;
  try {
    localStorage.setItem('handrolled-theme', next);
  } catch {
    // a page opened from a file may have no storage: then the choice lasts as long as the page
  }
}

export function recallTheme() {
  try {
    const chosen = localStorage.getItem('handrolled-theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  } catch {
    // as above
  }
}
