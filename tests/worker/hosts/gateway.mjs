// The gateway that every host serves, on the workspace that the command line names.
import { inspect, pipeline, Workspace } from 'lakelet';
import { enterpriseAssistant } from 'lakelet/assistant';
import { createGateway } from 'lakelet/gateway';

const host = process.argv[2];
const workspace = new Workspace({ host, token: 'dapi-for-tests' });
const assistant = pipeline(enterpriseAssistant);
const program = {
  inputs: assistant.inputs,
  steps: assistant.steps,
  stream: (inputs, { signal }) => assistant.stream(inputs, { workspace, lm: 'chat', rm: workspace.index('main.default.handbook'), cache: false, signal }),
};

export const gateway = createGateway({
  programs: { enterprise_assistant: { program } },
  inspect,
  audit: (line) => console.log(JSON.stringify(line)),
});
