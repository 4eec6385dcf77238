// The optimizers first, which take the place of the core that comes after.
import * as optimizers from 'lakelet/optimize';
import * as lakelet from 'lakelet';

import { search } from './search.js';

const workspace = new lakelet.Workspace({ baseUrl: new URLSearchParams(location.search).get('model') });
document.body.textContent = JSON.stringify(await search(lakelet, optimizers, workspace.lm('small')));
document.body.dataset.done = 'yes';
