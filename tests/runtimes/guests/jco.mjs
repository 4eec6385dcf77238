// The suite as a component, in Node.
import * as suite from '../../../build/runtimes/component/suite.js';
import { answerLines } from './lines.mjs';

await answerLines(suite);
