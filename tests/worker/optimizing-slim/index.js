// The same without the plain module: it is smaller.
import * as lakelet from 'lakelet/slim';
import * as optimizers from 'lakelet/optimize';

import { search } from '../../support/search.js';

export default {
  async fetch(_request, { DATABRICKS_HOST: host, DATABRICKS_TOKEN: token }) {
    return Response.json(await search(lakelet, optimizers, new lakelet.Workspace({ host, token }).lm('chat')));
  },
};
