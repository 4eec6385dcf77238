import type { PipelineOptions } from 'lakelet';
import type { WorkerEnv } from 'lakelet/worker';

/** What wrangler.jsonc gives the Worker, beside what every Worker of Lakelet reads. */
export interface Env extends WorkerEnv {
  readonly LAKELET_COLUMNS: Readonly<Record<'id' | 'text' | 'title' | 'document' | 'heading', string>>;
  readonly LAKELET_QUERY_TYPE: 'ANN' | 'HYBRID' | 'FULL_TEXT';
  /** Changes to the steps of the assistant, as `pipeline` takes them. */
  readonly LAKELET_OVERLAY?: NonNullable<PipelineOptions['changes']>;
  /** The sign-in, Cloudflare Access: `https://TEAM.cloudflareaccess.com`, and the application's audience tag. */
  readonly ACCESS_ISSUER?: string;
  readonly ACCESS_AUDIENCE?: string;
  /** `yes`: the page says who asks. For demonstrations on one's own machine. */
  readonly LAKELET_BELIEVE_THE_PAGE?: string;
}
