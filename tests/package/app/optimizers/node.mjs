// The optimizers first, which take the place of the core that comes after.
import * as optimizers from 'lakelet/optimize';
import * as lakelet from 'lakelet';

import { search } from './search.js';

const workspace = new lakelet.Workspace({ baseUrl: process.argv[2] });
console.log(JSON.stringify(await search(lakelet, optimizers, workspace.lm('small'))));
