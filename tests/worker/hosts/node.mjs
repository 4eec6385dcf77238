import { serve } from 'lakelet/gateway/node';

import { gateway } from './gateway.mjs';

const { url } = await serve(gateway, { port: 0 });
console.log(url);
