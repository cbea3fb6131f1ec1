// The page begins here.
import { App } from './app.js';
import { changeTheme, fillHelp, listen, openHelp } from './keys.js';
import { Loader } from './load.js';
import { byId } from './view/dom.js';
import { recallTheme, watchTheme } from './view/palette.js';

recallTheme();
const app = new App();
watchTheme(() => app.draw());
listen(app);
fillHelp(app);
byId('theme').addEventListener('click', () => changeTheme(app));
byId('ask').addEventListener('click', openHelp);
// For whoever looks at the loop with the browser's own tools, and for the tests.
Object.assign(window, { loop: app });
new Loader(app).start();
